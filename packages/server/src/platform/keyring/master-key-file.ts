import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import { formatMasterKey, masterKeyBytes } from './master-key.ts';

/** The text of the file, or undefined when there is none. */
export async function readMasterKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileFault('cannot be read', path, error);
  }
}

/**
 * Makes a master key and returns the text that is in the file now: ours, or that of somebody who was first.
 * At return the file is whole, has mode 0600 and is on the disk: what is hashed under the key must never outlive it.
 *
 * Written aside and linked into place, because `link` refuses to replace. Opening with `wx` would leave an empty file when
 * the process dies before it writes, and a rename would replace the key of another.
 */
export async function createMasterKeyFile(path: string, random: Random): Promise<string> {
  const folder = dirname(path);
  const draft = join(folder, `.${basename(path)}.${random.bytes(6).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const text = formatMasterKey({ version: 1, secret: random.bytes(masterKeyBytes) });
    await writeDurably(draft, text);
    try {
      await link(draft, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      return await readFile(path, 'utf8');
    } finally {
      await unlink(draft);
    }
    await syncFolder(folder);
    return text;
  } catch (error) {
    throw fileFault('cannot be made', path, error);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; there the name is durable when the file is.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function fileFault(fault: string, path: string, error: unknown): HoldfastError {
  const code = codeOf(error) === 'ENOSPC' ? 'disk_full' : 'master_key_unusable';
  return new HoldfastError(code, { detail: `the master key file ${path} ${fault}`, details: { path }, cause: error });
}
