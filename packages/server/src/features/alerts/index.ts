export { createDatabaseAlertStore, type DatabaseAlertStoreOptions } from './database-alert-store.ts';
export { createDatabaseReadings, type DatabaseReadings } from './database-readings.ts';
export { guardChannel, type GuardOptions } from './guard-channel.ts';
export { keptReading } from './kept-reading.ts';
export { alertRoutes } from './routes.ts';
export type { AlertRoutesOptions } from './routes-options.ts';
export { testChannels, type TestChannelsOptions } from './test-channels.ts';
