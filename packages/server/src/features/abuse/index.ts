export { createDatabaseBanStore, type DatabaseBanStoreOptions } from './database-ban-store.ts';
