export { openDatabaseSession, type DatabaseSessionOptions } from './database-session.ts';
