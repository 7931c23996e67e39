import { sql } from 'kysely';
import type { AlertSample } from '@holdfast/kit/alerts';
import { firstUuidV7At, type Clock } from '@holdfast/kit/time';
import type { Database } from '../../platform/postgres/index.ts';
import { keptReading } from './kept-reading.ts';

type Reading = (windowMs: number) => Promise<readonly AlertSample[]>;

export interface DatabaseReadings {
  readonly spend_usd: Reading;
  readonly organization_spend_usd: Reading;
  readonly key_spend_usd: Reading;
  readonly key_expiry_days: Reading;
  readonly budget_used_ratio: Reading;
}

/** Those who spent most; rules about spending are about them. */
const maxSpenders = 100;
const maxKeys = 100;
/** The fullest budgets; those that are half full at least. */
const maxBudgets = 200;
const dayMs = 86_400_000;
const lookAheadDays = 90;

/** What rules ask of the database: the same for all instances. */
export function createDatabaseReadings({
  database,
  clock,
}: {
  readonly database: Pick<Database, 'query'>;
  readonly clock: Clock;
}): DatabaseReadings {
  const query = () => database.query('jobs');
  return {
    spend_usd: keptByWindow(clock, async (windowMs) => {
      const { rows } = await sql<{ usd: number }>`
        select coalesce(sum(cost_nano_usd), 0)::double precision / 1e9 as usd from holdfast.calls
        where id >= ${firstUuidV7At(clock.now() - windowMs)}`.execute(query());
      return rows.map(({ usd }) => ({ labels: {}, value: usd }));
    }),
    organization_spend_usd: keptByWindow(clock, async (windowMs) => {
      const { rows } = await sql<{ organization: string; usd: number }>`
        select organization_id as organization, coalesce(sum(cost_nano_usd), 0)::double precision / 1e9 as usd from holdfast.calls
        where id >= ${firstUuidV7At(clock.now() - windowMs)} group by organization_id order by usd desc limit ${maxSpenders}`.execute(
        query(),
      );
      return rows.map(({ organization, usd }) => ({ labels: { organization }, value: usd }));
    }),
    key_spend_usd: keptByWindow(clock, async (windowMs) => {
      const { rows } = await sql<{ organization: string; key: string; usd: number }>`
        select organization_id as organization, key_id as key, coalesce(sum(cost_nano_usd), 0)::double precision / 1e9 as usd from holdfast.calls
        where id >= ${firstUuidV7At(clock.now() - windowMs)} and key_id is not null
        group by organization_id, key_id order by usd desc limit ${maxSpenders}`.execute(query());
      return rows.map(({ organization, key, usd }) => ({ labels: { organization, key }, value: usd }));
    }),
    key_expiry_days: keptByWindow(clock, async () => {
      const rows = await query()
        .selectFrom('holdfast.api_keys')
        .select(['id', 'organization_id', 'prefix', 'expires_at'])
        .where('expires_at', '>', new Date(clock.now()))
        .where('expires_at', '<', new Date(clock.now() + lookAheadDays * dayMs))
        .where('revoked_at', 'is', null)
        .where('replaced_by', 'is', null)
        .orderBy('expires_at')
        .limit(maxKeys)
        .execute();
      return rows.map(({ id, organization_id, prefix, expires_at }) => ({
        labels: { organization: organization_id, key: id, prefix },
        value: (expires_at!.getTime() - clock.now()) / dayMs,
      }));
    }),
    // Of the windows that run. One that refuses calls of ordinary size is used up, whatever it would still have for smaller ones.
    budget_used_ratio: keptByWindow(clock, async () => {
      const { rows } = await sql<{ organization: string; budget: string; name: string; enforcement: string; ratio: number }>`
        select organization, budget, name, enforcement, ratio from (
          select b.organization_id as organization, b.id as budget, b.name, b.enforcement,
            greatest(
              (w.closed_nano + coalesce((select sum(s.spent_nano) from holdfast.budget_slices s
                where s.budget_id = w.budget_id and s.period_start = w.period_start and not s.closed), 0))::double precision / greatest(b.limit_nano, 1),
              case when b.enforcement = 'hard' and w.refused_at is not null then 1 else 0 end) as ratio
          from holdfast.budgets b join holdfast.budget_windows w on w.budget_id = b.id
          where b.deleted_at is null and w.period_start <= ${new Date(clock.now())} and (w.period_end is null or w.period_end > ${new Date(clock.now())})
        ) each_budget
        where ratio >= 0.5 order by ratio desc limit ${maxBudgets}`.execute(query());
      return rows.map(({ organization, budget, name, enforcement, ratio }) => ({
        labels: { organization, budget, name, enforcement },
        value: ratio,
      }));
    }),
  };
}

/** A sum over a day is asked for each quarter of an hour, one over some minutes at each look. */
function keptByWindow(clock: Clock, read: Reading): Reading {
  const kept = new Map<number, () => Promise<readonly AlertSample[]>>();
  return (windowMs) => {
    let reading = kept.get(windowMs);
    if (!reading) kept.set(windowMs, (reading = keptReading(clock, Math.min(windowMs / 100, 900_000), () => read(windowMs))));
    return reading();
  };
}
