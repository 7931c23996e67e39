import { sql } from 'kysely';
import type { Database } from '../../platform/postgres/index.ts';
import { deadAfterMs } from './instance-lease.ts';

/** How many instances gave a sign of life lately, this one included once it has its lease. Throws `database_unavailable`. */
export async function countLiveInstances(database: Pick<Database, 'query'>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from holdfast.instances where seen_at > now() - make_interval(secs => ${deadAfterMs / 1000})`.execute(
    database.query('jobs'),
  );
  return rows[0]!.count;
}
