import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import { sql } from 'kysely';
import type { Database } from '../../platform/postgres/index.ts';

/** Organizations of a test that the server makes of itself. Nobody signs in to them, and with one everything goes that belongs to it. */
export interface ThrowAwayOrganizations {
  /** Resolves with its id. */
  create(name: string): Promise<string>;
  /** With its keys, which every instance forgets within a second. May be repeated; never touches an organization that is not one of these. */
  remove(id: string): Promise<void>;
  /** Those that were made longer ago than any test takes: what a process that was killed has left. Resolves with how many. */
  removeLeftovers(olderThanMs: number): Promise<number>;
}

/** In two columns: a slug that somebody chose must not make an organization one that is thrown away. */
const slugPrefix = 'holdfast-throw-away-';
const mark = '{"holdfast":"throw-away"}';

export function createThrowAwayOrganizations(options: {
  readonly database: Pick<Database, 'asOperator' | 'query'>;
  readonly clock: Clock;
  readonly random: Random;
}): ThrowAwayOrganizations {
  const { database, clock, random } = options;
  const createId = createUuidV7(clock, random);
  const own = sql<boolean>`starts_with(slug, ${slugPrefix}) and metadata = ${mark}`;
  return {
    async create(name) {
      const id = createId();
      const row = { id, name, slug: slugPrefix + id, metadata: mark, tier: 'unlimited', createdAt: new Date(clock.now()) };
      await database.asOperator((transaction) => transaction.insertInto('identity.organization').values(row).execute());
      return id;
    },
    async remove(id) {
      await database.query('identity').deleteFrom('identity.organization').where('id', '=', id).where(own).execute();
    },
    async removeLeftovers(olderThanMs) {
      const { numDeletedRows } = await database
        .query('identity')
        .deleteFrom('identity.organization')
        .where(own)
        // By the clock that instances share.
        .where(sql<boolean>`"createdAt" < now() - make_interval(secs => ${olderThanMs / 1000})`)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
  };
}
