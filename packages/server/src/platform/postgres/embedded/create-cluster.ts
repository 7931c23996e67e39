import { execFile } from 'node:child_process';
import { chownSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import type { Binaries } from './binaries.ts';
import type { ClusterHome } from './cluster-home.ts';
import { folderFault } from './folder-fault.ts';
import { withNamelessPrograms } from './nameless-user.ts';
import { ownUserHasName, type ProcessUser } from './process-user.ts';
import { serverEnvironment } from './settings.ts';
import { spawnFault, startFault } from './start-fault.ts';

const draftPrefix = 'data.new-';
const initdbTimeoutMs = 120_000;

/** Only who may enter the socket's folder (mode 0700) can connect at all, so that is the whole of the access rules. */
const accessRules = 'local all all trust\n';

/**
 * Makes a cluster with the superuser `postgres`. It is made in a draft beside its place and moved there when it is whole and on
 * the disk: what a start that was killed leaves behind is never taken for a cluster.
 */
export async function createCluster(cluster: ClusterHome, binaries: Binaries, random: Random): Promise<void> {
  const { home, data, user } = cluster;
  const draft = join(home, draftPrefix + random.bytes(4).toString('hex'));
  try {
    mkdirSync(draft, { mode: 0o700 });
    if (user) chownSync(draft, user.uid, user.gid);
    if (user || ownUserHasName()) await runInitdb(binaries.initdb, draft, user);
    else await withNamelessPrograms(binaries, home, random, (initdb) => runInitdb(initdb, draft, user));
    writeFileSync(join(draft, 'pg_hba.conf'), accessRules, { flush: true });
    renameSync(draft, data);
    flushFolder(home);
  } catch (thrown) {
    rmSync(draft, { recursive: true, force: true, maxRetries: 3 });
    throw folderFault(thrown, home);
  }
}

/**
 * Removes what starts that were killed left of their cluster, also in homes that they began outside of the data folder. The
 * caller holds the folder's lock. To be called at every start: an initdb that outlived its server may write until it notices
 * that its folder is gone.
 */
export function removeDrafts(home: string): void {
  for (const name of readdirSync(home)) {
    if (name.startsWith(draftPrefix)) rmSync(join(home, name), { recursive: true, force: true, maxRetries: 3 });
  }
  const kin = /^[0-9a-f]{12}-/.exec(basename(home))?.[0];
  if (kin === undefined) return;
  for (const name of readdirSync(dirname(home))) {
    const other = join(dirname(home), name);
    if (name.startsWith(kin) && other !== home && !existsSync(join(other, 'data')))
      rmSync(other, { recursive: true, force: true, maxRetries: 3 });
  }
}

function runInitdb(program: string, draft: string, user: ProcessUser | undefined): Promise<void> {
  // A collation of PostgreSQL's own, because one of the system's changes its order with the system and spoils indexes.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const args = ['-D', draft, '--username=postgres', '--auth=trust', ...locale];
  // initdb starts `postgres` through a shell.
  if (!existsSync('/bin/sh'))
    throw new HoldfastError('platform_unsupported', { detail: 'initdb of PostgreSQL needs /bin/sh, which is not there; set DATABASE_URL' });
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { cwd: draft, env: { ...serverEnvironment }, timeout: initdbTimeoutMs, ...(user && { uid: user.uid, gid: user.gid }) },
      (failure, _output, errors) => {
        if (!failure) resolve();
        else if (typeof failure.code === 'string') reject(spawnFault('initdb', failure, user?.name));
        else
          reject(
            startFault(
              `initdb ended with ${failure.signal ?? `code ${failure.code}`}`,
              errors.split('\n').filter((line) => line !== ''),
              failure,
            ),
          );
      },
    );
  });
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
