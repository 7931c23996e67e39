export { openDatabaseSession, type DatabaseSessionOptions } from './database-session.ts';
export { createLogReader, type LogKey, type LogReader, type LogState, type ProvedEvent } from './log-reader.ts';
export { rotateLogKeys, type RotatedKeys, type RotateKeysOptions, type RotationDetails } from './rotate-keys.ts';
