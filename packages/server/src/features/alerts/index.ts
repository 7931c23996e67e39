export { createDatabaseAlertStore, type DatabaseAlertStoreOptions } from './database-alert-store.ts';
