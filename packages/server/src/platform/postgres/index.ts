export {
  connectionLost,
  listenerStateChanged,
  poolExhausted,
  queryCompleted,
  querySlow,
  type ConnectionLost,
  type ListenerStateChanged,
  type PoolExhausted,
  type QueryCompleted,
  type QuerySlow,
} from './announcements.ts';
export { compositeArray, CompositeWriter } from './composite-writer.ts';
export { openDatabase, type Database, type OpenDatabaseOptions, type PoolState } from './database.ts';
export { prepareEmbeddedCluster, type PrepareEmbeddedClusterOptions } from './embedded-cluster.ts';
export { mapDatabaseError } from './errors.ts';
export { migrateDatabase, type MigrateDatabaseOptions } from './migrate.ts';
export type { NonTransactionalMigration } from './non-transactional.ts';
export type { Notifications } from './notifications.ts';
export { minConnections } from './pool-shares.ts';
export { databaseRoles, roleName, type DatabaseRole } from './roles.ts';
export type * from './schema.ts';
export type { ConnectionTimeouts, DatabaseTarget } from './target.ts';
