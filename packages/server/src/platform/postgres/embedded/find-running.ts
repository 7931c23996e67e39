import { existsSync, realpathSync } from 'node:fs';
import type { Random } from '@holdfast/kit/time';
import { findClusterHome } from './cluster-home.ts';
import { embeddedPostgresDefaults } from './options.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { isPostmasterOf } from './process-identity.ts';
import { readPasswd, runsAsRoot } from './process-user.ts';

export interface FindRunningOptions {
  readonly dataDir: string;
  readonly random: Random;
  readonly systemDir?: string;
}

/**
 * Where the PostgreSQL of a data folder takes connections now; undefined when none runs. For commands beside a running
 * server: they connect, and neither lock the folder nor stop what they did not start. A server that dies in this moment
 * is met by the connection as `database_unavailable`.
 */
export function findRunningPostgres({
  dataDir,
  random,
  systemDir = embeddedPostgresDefaults.systemDir,
}: FindRunningOptions): { readonly socketDir: string; readonly port: number } | undefined {
  if (!existsSync(dataDir)) return undefined;
  const cluster = findClusterHome({ dataDir: realpathSync(dataDir), systemDir, asRoot: runsAsRoot(), passwdText: readPasswd(), random });
  if (!cluster.exists) return undefined;
  const file = readPostmasterFile(cluster.data);
  if (file?.status !== 'ready' || !isPostmasterOf(file.pid, cluster.data)) return undefined;
  return { socketDir: file.socketDir, port: file.port };
}
