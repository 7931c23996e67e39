import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import type { Binaries } from './binaries.ts';

/** As the name of an imported function stands in a program: whole, between two zero bytes. */
const lookUp = Buffer.from('\0getpwuid\0', 'latin1');
const firstEntry = Buffer.from('\0getpwent\0', 'latin1');

/**
 * Runs `work` with copies of the programs that start also under a uid without a name, which containers are often given
 * (`docker run --user 12345`, OpenShift).
 *
 * initdb, and the `postgres --single` that it runs, ask the C library for the name of their user and end when there is none,
 * although the name is used for nothing when `--username` is given. No switch avoids it, users are never made, and a preloaded
 * library would have to be compiled. So in the copies the import `getpwuid` is renamed to `getpwent`, which has a name of the same length,
 * ignores its argument and gives the first entry of `/etc/passwd`. Only for making the cluster: the server itself does not ask.
 */
export async function withNamelessPrograms<T>(
  binaries: Binaries,
  folder: string,
  random: Random,
  work: (initdb: string) => Promise<T>,
): Promise<T> {
  const root = join(folder, `init-${random.bytes(4).toString('hex')}`);
  try {
    mkdirSync(join(root, 'bin'), { recursive: true, mode: 0o700 });
    for (const part of ['lib', 'share']) symlinkSync(join(binaries.root, part), join(root, part));
    for (const program of [binaries.initdb, binaries.postgres]) {
      const copy = join(root, 'bin', program === binaries.initdb ? 'initdb' : 'postgres');
      writeFileSync(copy, withoutNameLookup(readFileSync(program)), { mode: 0o700 });
    }
    return await work(join(root, 'bin/initdb'));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Refuses a program that does not import the function exactly once: then it is not the one that this was tried with. */
export function withoutNameLookup(program: Buffer): Buffer {
  const at = program.indexOf(lookUp);
  if (at < 0 || program.indexOf(lookUp, at + 1) >= 0) {
    throw new HoldfastError('postgres_start_failed', {
      detail: `PostgreSQL needs a name for the user ${process.geteuid?.()} and /etc/passwd has none; start as a user with an entry there or set DATABASE_URL`,
    });
  }
  const changed = Buffer.from(program);
  firstEntry.copy(changed, at);
  return changed;
}
