import { sql } from 'kysely';
import type { DatedPrice } from '@holdfast/kit/llm/pricing';
import type { Database } from '../../platform/postgres/index.ts';

/** Keeps prices for as long as the instance lives: rows are priced again by them when no list has them any more. Safe to repeat. */
export async function recordPrices(database: Pick<Database, 'query'>, prices: readonly DatedPrice[]): Promise<void> {
  const rows = prices.map(({ id, provider, model, since, peak, source, cost }) => ({
    id,
    provider,
    model,
    since: since ?? null,
    peak,
    source,
    cost,
  }));
  await sql`
    insert into holdfast.prices (id, provider_kind, model, since, peak, source, cost)
    select id, provider, model, since, peak, source, cost
    from json_to_recordset(${JSON.stringify(rows)}) as p(id text, provider text, model text, since date, peak boolean, source text, cost json)
    on conflict (id) do nothing`.execute(database.query('jobs'));
}
