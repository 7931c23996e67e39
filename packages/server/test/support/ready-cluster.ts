import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Makes the data folder `dataDir` with a cluster that a first start would have made: migrated, empty, stopped. A copy of one that
 * is made once in a run of tests, since making it takes ten times as long.
 */
export async function placeReadyCluster(dataDir: string): Promise<void> {
  const shared = process.env['TEST_RUN_FOLDER'];
  if (shared === undefined) return makeCluster(dataDir);
  const template = join(shared, 'cluster');
  if (!existsSync(template)) await makeTemplate(template);
  await run('cp', ['-a', template, dataDir]);
}

/** Two test files that begin at once make one each, and the first stays: nobody waits for anybody, who could be killed. */
async function makeTemplate(template: string): Promise<void> {
  const folder = await mkdtemp(`${template}-`);
  try {
    await chmod(folder, 0o711);
    await makeCluster(join(folder, 'data'));
    await rename(join(folder, 'data'), template).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Loaded when it is made: most files only copy it. */
async function makeCluster(dataDir: string): Promise<void> {
  const [{ systemClock, systemRandom }, { migrateDatabase, prepareEmbeddedCluster }, { startEmbeddedPostgres }] = await Promise.all([
    import('@holdfast/kit/time'),
    import('../../src/platform/postgres/index.ts'),
    import('../../src/platform/postgres/embedded/index.ts'),
  ]);
  const cluster = await startEmbeddedPostgres({ dataDir, clock: systemClock, random: systemRandom });
  try {
    await prepareEmbeddedCluster(cluster);
    await migrateDatabase({ target: { kind: 'socket', socketDir: cluster.socketDir, port: cluster.port }, clock: systemClock });
  } finally {
    await cluster.stop();
  }
}
