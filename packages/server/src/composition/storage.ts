import { join } from 'node:path';
import type { Clock, Random } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { createDatabaseCheckValues, openKeyRing, type KeyRing } from '../platform/keyring/index.ts';
import { findRunningPostgres, startEmbeddedPostgres, type EmbeddedPostgresExit } from '../platform/postgres/embedded/index.ts';
import {
  migrateDatabase,
  minConnections,
  openDatabase,
  prepareEmbeddedCluster,
  type Database,
  type DatabaseTarget,
} from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';

export interface StorageOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  /** Where the system keeps sockets of this user, if it says so. */
  readonly runtimeDir: string | undefined;
  /** The embedded database ended by itself. */
  readonly onDatabaseExit: (exit: EmbeddedPostgresExit) => void;
}

export type CommandStorageOptions = Omit<StorageOptions, 'onDatabaseExit'>;

export interface Storage {
  readonly database: Database;
  readonly target: DatabaseTarget;
  readonly keyRing: KeyRing;
  /** Whether no other instance can use this database. */
  readonly alone: boolean;
}

/** The database, migrated and open, and the key ring that fits it. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { configuration } = options;
  const { url } = configuration.database;
  const target = url === undefined ? await startEmbedded(options) : ({ kind: 'url', url: url.reveal() } as const);
  return openTarget(options, target, configuration.database.maxConnections);
}

/** Connections of a command: it does one thing after the other, beside a server that has its own. */
const commandConnections = minConnections;

/** The same for a command, which may run beside the server: on its database then, and otherwise on one of its own. */
export async function openCommandStorage(options: CommandStorageOptions): Promise<Storage> {
  const { configuration, random } = options;
  const { url } = configuration.database;
  if (url !== undefined) return openTarget(options, { kind: 'url', url: url.reveal() }, commandConnections);
  const running = findRunningPostgres({ dataDir: configuration.server.dataDir, random });
  const target = running ? ({ kind: 'socket', ...running } as const) : await startEmbedded({ ...options, onDatabaseExit: () => {} });
  return openTarget(options, target, commandConnections);
}

async function openTarget(
  { configuration, clock, random, closers }: CommandStorageOptions,
  target: DatabaseTarget,
  maxConnections: number,
): Promise<Storage> {
  const embedded = configuration.database.url === undefined;
  await migrateDatabase({ target, clock });
  const slowQueryMs = configuration.performance.slowQueryMs || Number.POSITIVE_INFINITY;
  const database = await openDatabase({ target, maxConnections, clock, slowQueryMs });
  closers.add('database', () => database.close());
  const keyRing = await openKeyRing({
    masterKey: configuration.secrets.masterKey?.reveal(),
    keyFile: embedded ? join(configuration.server.dataDir, 'master-key') : undefined,
    checkValues: createDatabaseCheckValues(database),
    random,
  });
  return { database, target, keyRing, alone: embedded };
}

async function startEmbedded({
  configuration,
  clock,
  random,
  closers,
  runtimeDir,
  onDatabaseExit,
}: StorageOptions): Promise<DatabaseTarget> {
  const postgres = await startEmbeddedPostgres({
    dataDir: configuration.server.dataDir,
    clock,
    random,
    runtimeDir,
    maxConnections: configuration.database.maxConnections,
  });
  closers.add('embedded database', () => postgres.stop());
  postgres.onExit(onDatabaseExit);
  const { socketDir, port } = postgres;
  await prepareEmbeddedCluster({ socketDir, port });
  return { kind: 'socket', socketDir, port };
}
