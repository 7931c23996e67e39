import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import { findBinariesPackage, requirePlatform, type BinariesPackage } from './binaries-package.ts';
import { prepareBinaries } from './binaries.ts';
import { findClusterHome, makeClusterHome, writePointer, type ClusterHome } from './cluster-home.ts';
import { createCluster, removeDrafts } from './create-cluster.ts';
import { openDataFolder } from './data-folder.ts';
import { superviseEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';
import { embeddedPostgresStarted } from './events.ts';
import { folderFault, onFolder } from './folder-fault.ts';
import { lockFolder, type FolderLock } from './folder-lock.ts';
import { launchPostmaster, type Launch } from './launch.ts';
import { settleOptions, type EmbeddedPostgresOptions, type Settled } from './options.ts';
import { settleOrphan } from './orphan.ts';
import type { Postmaster } from './postmaster.ts';
import { readPasswd, runsAsRoot } from './process-user.ts';
import { boundServerLog, serverLogPath } from './server-log.ts';
import { serverArguments } from './settings.ts';
import { makeSocketFolder, socketPort } from './socket-folder.ts';
import { isRivalFault } from './start-fault.ts';

/**
 * Starts the PostgreSQL of a data folder, making its cluster on the first start, or takes over the one that still runs there
 * because its server was killed. Holds at return: it takes connections, and the folder is this process's alone until `stop`.
 *
 * Throws `platform_unsupported`, `data_folder_in_use`, `data_folder_unusable`, `data_folder_version`, `disk_full` or
 * `postgres_start_failed`; then nothing of it runs and the folder is free.
 */
export async function startEmbeddedPostgres(given: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const options = settleOptions(given);
  const platform = requirePlatform();
  const dataDir = openDataFolder(options.dataDir, runsAsRoot());
  const locks: FolderLock[] = [lockFolder(dataDir)];
  const release = () => locks.forEach((lock) => lock.release());
  try {
    return await startLocked(options, findBinariesPackage(platform, options.packageDir), dataDir, locks, release);
  } catch (thrown) {
    release();
    throw folderFault(thrown, dataDir);
  }
}

async function startLocked(
  options: Settled,
  source: BinariesPackage,
  dataDir: string,
  locks: FolderLock[],
  release: () => void,
): Promise<EmbeddedPostgres> {
  const { clock, random, systemDir } = options;
  const startedAtMs = clock.monotonic();
  const cluster = findClusterHome({ dataDir, systemDir, asRoot: runsAsRoot(), passwdText: readPasswd(), random });
  const { home, data, user } = cluster;
  makeClusterHome(cluster, systemDir);
  // A copy of the data folder names the same cluster outside of it: the lock of the folder alone would not see the other server.
  if (home !== join(dataDir, 'postgres')) locks.push(lockFolder(home));

  const binaries = prepareBinaries(source, user, copyFolders(cluster, systemDir), random);
  onFolder(home, () => removeDrafts(home));
  if (cluster.exists) requireVersion(cluster, source);
  else {
    await createCluster(cluster, binaries, random);
    writePointer(cluster, random);
  }

  const socketDir = makeSocketFolder({ cluster, runtimeDir: options.runtimeDir, systemDir });
  const args = serverArguments({ data, socketDir, port: socketPort, packageVersion: source.packageVersion }, options);
  const logPath = serverLogPath(home);
  boundServerLog(logPath, options.maxLogBytes);
  const { startTimeoutMs, stopTimeoutMs } = options;
  const postmaster = await takeOverOrLaunch(
    { program: binaries.postgres, args, data, socketDir, clock, logPath, user, timeoutMs: startTimeoutMs },
    stopTimeoutMs,
  );

  embeddedPostgresStarted.publish({
    pid: postmaster.pid,
    adopted: postmaster.adopted,
    created: !cluster.exists,
    version: source.version,
    data,
    userName: user?.name,
    durationMs: clock.monotonic() - startedAtMs,
  });
  return superviseEmbeddedPostgres({ postmaster, socketDir, version: source.version, logPath, options, release });
}

/** How long a PostgreSQL that a killed server had only just begun may get in our way. */
const rivalMs = 15_000;

/**
 * A server that is killed while it starts its PostgreSQL leaves one that has not written its file yet: nothing shows it until it
 * is there before ours. Then it is dealt with as any other that was left behind.
 */
async function takeOverOrLaunch(launch: Launch, stopTimeoutMs: number): Promise<Postmaster> {
  const { clock, timeoutMs } = launch;
  const end = clock.monotonic() + rivalMs;
  for (;;) {
    const orphan = await settleOrphan({ ...launch, port: socketPort, startTimeoutMs: timeoutMs, stopTimeoutMs });
    if (orphan) return orphan;
    try {
      return await launchPostmaster(launch);
    } catch (thrown) {
      if (!isRivalFault(thrown) || clock.monotonic() >= end) throw thrown;
    }
  }
}

/** For root one place for all data folders of the machine: a copy has 50 MB. */
function copyFolders({ home, user }: ClusterHome, systemDir: string): string[] {
  const own = join(home, 'binaries');
  return user ? [join(systemDir, 'binaries'), own] : [own];
}

function requireVersion({ data }: ClusterHome, { major, version }: BinariesPackage): void {
  let found: string;
  try {
    found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  } catch (thrown) {
    throw new HoldfastError('data_folder_unusable', {
      detail: `${data} is not a data folder of PostgreSQL: it has no PG_VERSION`,
      cause: thrown,
    });
  }
  if (found !== major)
    throw new HoldfastError('data_folder_version', { detail: `${data} was made by PostgreSQL ${found}, this is ${version}` });
}
