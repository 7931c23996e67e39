export type { EmbeddedPostgres, EmbeddedPostgresExit } from './embedded-postgres.ts';
export { embeddedPostgresEnded, embeddedPostgresStarted, type EmbeddedPostgresEnded, type EmbeddedPostgresStarted } from './events.ts';
export { type EmbeddedPostgresOptions } from './options.ts';
export { startEmbeddedPostgres } from './start.ts';
export { findRunningPostgres, type FindRunningOptions } from './find-running.ts';
export { lockFolder, type FolderLock } from './folder-lock.ts';
