import { readFileSync, statSync } from 'node:fs';

const maxSecretBytes = 65_536;

/** Reads files that hold one secret each, again with every reload. */
export class SecretFiles {
  /** Texts of pipes: they give them once, and to open one again may wait for ever. */
  readonly #pipes = new Map<string, string>();
  #started = false;

  /** The text of a file, without the line end that editors and `echo` leave. Throws when there is none. */
  read(fullPath: string): string {
    const stat = statSync(fullPath);
    // A pipe is allowed: `X_FILE=<(vault read …)`. A device is not: /dev/zero has no end.
    if (stat.isFIFO()) return this.#readPipe(fullPath);
    if (!stat.isFile()) throw new Error(stat.isDirectory() ? 'it is a folder' : 'it is not a regular file');
    if (stat.size > maxSecretBytes) throw new Error('it is too large to be a secret');
    return textOf(fullPath);
  }

  /** The server has started: a pipe that comes now is refused, since reading it would stand in the way of every request. */
  started(): void {
    this.#started = true;
  }

  #readPipe(fullPath: string): string {
    let text = this.#pipes.get(fullPath);
    if (text === undefined) {
      if (this.#started) throw new Error('it is a pipe, which is read at start only');
      this.#pipes.set(fullPath, (text = textOf(fullPath)));
    }
    return text;
  }
}

function textOf(fullPath: string): string {
  const text = readFileSync(fullPath, 'utf8').trim();
  if (text === '') throw new Error('it is empty');
  return text;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ELOOP: 'its symbolic links go in a circle',
  ENAMETOOLONG: 'its name is too long',
};

/** Why a file could not be read, in plain words; never anything of what it holds. */
export function reasonOf(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  return code === undefined ? message : (reasons[code] ?? code);
}
