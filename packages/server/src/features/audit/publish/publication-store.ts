import type { AuditPublicationsBody } from '@holdfast/contracts';
import type { Database } from '../../../platform/postgres/index.ts';

export interface PublicationStore {
  /** Size of the checkpoint that was published there last; undefined before the first. */
  lastSize(destination: string): Promise<number | undefined>;
  succeeded(destination: string, size: number, atMs: number): Promise<void>;
  /** `error` is a text for operators: a code and what it came from. */
  failed(destination: string, error: string, atMs: number): Promise<void>;
  list(): Promise<AuditPublicationsBody['data']>;
}

export function createPublicationStore(database: Pick<Database, 'query'>): PublicationStore {
  const table = () => database.query('jobs').insertInto('holdfast.audit_publications');
  return {
    async lastSize(destination) {
      const row = await database
        .query('jobs')
        .selectFrom('holdfast.audit_publications')
        .select(['size', 'published_at'])
        .where('destination', '=', destination)
        .executeTakeFirst();
      return row?.published_at == null ? undefined : row.size;
    },
    async succeeded(destination, size, atMs) {
      const at = new Date(atMs);
      await table()
        .values({ destination, size, published_at: at, tried_at: at, error: null })
        .onConflict((conflict) =>
          conflict
            .column('destination')
            .doUpdateSet({ size, published_at: at, tried_at: at, error: null })
            // Another instance may have been further already.
            .where('holdfast.audit_publications.size', '<=', size),
        )
        .execute();
    },
    async failed(destination, error, atMs) {
      const at = new Date(atMs);
      await table()
        .values({ destination, size: 0, published_at: null, tried_at: at, error })
        .onConflict((conflict) => conflict.column('destination').doUpdateSet({ tried_at: at, error }))
        .execute();
    },
    async list() {
      const rows = await database.query('operator').selectFrom('holdfast.audit_publications').selectAll().orderBy('destination').execute();
      return rows.map(({ destination, size, published_at, tried_at, error }) => ({
        destination,
        size,
        published_at: published_at?.toISOString() ?? null,
        tried_at: tried_at.toISOString(),
        error,
      }));
    },
  };
}
