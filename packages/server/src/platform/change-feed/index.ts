export { createChangeFeed, type ChangeFeed, type ChangeFeedOptions } from './change-feed.ts';
export type { Change, Changes, ChangeSignal, ChangeSource } from './change-source.ts';
export { createDatabaseChangeSignal, createDatabaseChangeSource, type DatabaseChangeSourceOptions } from './database-changes.ts';
export { withinDeadline } from './deadline.ts';
