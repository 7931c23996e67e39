export {
  connectionLost,
  databaseQueryCompleted,
  listenerStateChanged,
  poolExhausted,
  querySlow,
  type ConnectionLost,
  type DatabaseQueryCompleted,
  type ListenerStateChanged,
  type PoolExhausted,
  type QuerySlow,
} from './announcements.ts';
export { compositeArray, CompositeWriter } from './composite-writer.ts';
export { openDatabase, type Database, type OpenDatabaseOptions, type PoolState } from './database.ts';
export { prepareEmbeddedCluster, type PrepareEmbeddedClusterOptions } from './embedded-cluster.ts';
export { inspectDatabase, type DatabaseFacts, type InspectDatabaseOptions } from './inspect-database.ts';
export { mapDatabaseError } from './errors.ts';
export { migrateDatabase, type MigrateDatabaseOptions } from './migrate.ts';
export type { NonTransactionalMigration } from './non-transactional.ts';
export type { Notifications } from './notifications.ts';
export { observeQuery } from './observe-query.ts';
export { minConnections } from './pool-shares.ts';
export { databaseRoles, roleName, type DatabaseRole } from './roles.ts';
export type * from './schema.ts';
export type { DatabaseOperation } from './statement-kind.ts';
export type { ConnectionTimeouts, DatabaseTarget } from './target.ts';
export { WireConnection, type ArrayParameter, type WireStatement } from './wire/index.ts';
