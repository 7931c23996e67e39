import type { NonTransactionalMigration } from '../../non-transactional.ts';

/**
 * Statements that PostgreSQL refuses inside a transaction, such as CREATE INDEX CONCURRENTLY on a large table; by name, in the order
 * of their names, after all of `../index.ts`. A migration of that list MUST NOT need one of these.
 */
export const nonTransactionalMigrations: Readonly<Record<string, NonTransactionalMigration>> = Object.freeze({});
