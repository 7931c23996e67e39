import { readFileSync, statSync } from 'node:fs';

const maxSecretBytes = 65_536;

/** The text of a file that holds one secret, without the line end that editors and `echo` leave. Throws when there is none. */
export function readSecretFile(fullPath: string): string {
  const stat = statSync(fullPath);
  // A pipe is allowed: `X_FILE=<(vault read …)`. A device is not: /dev/zero has no end.
  if (!stat.isFile() && !stat.isFIFO()) throw new Error(stat.isDirectory() ? 'it is a folder' : 'it is not a regular file');
  if (stat.size > maxSecretBytes) throw new Error('it is too large to be a secret');
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
