import { sql, type Kysely } from 'kysely';
import { defineChannel } from '@holdfast/kit/events';
import { sleep, type Clock } from '@holdfast/kit/time';
import type { Database, Schema } from '../../platform/postgres/index.ts';

export interface CostSumsFailed {
  readonly error: unknown;
}

export const costSumsFailed = defineChannel<CostSumsFailed>('holdfast:costs:sums-failed');

export interface CostSumsOptions {
  readonly database: Pick<Database, 'query'>;
  readonly clock: Clock;
}

/** How often what was committed meanwhile is added to the sums. Reports add the rest themselves: they are right without it, and faster with it. */
const everyMs = 60_000;

/** What is told apart in sums by day. */
export const costDimensions = ['model', 'served_model', 'provider', 'key_id', 'user_id', 'end_user', 'feature'] as const;

/** What is added up. */
export const costMeasures = [
  'calls',
  'failed_calls',
  'interrupted_calls',
  'unpriced_calls',
  'prompt_tokens',
  'completion_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost_nano_usd',
  'reserved_nano_usd',
] as const;

/**
 * One row of the ledger, or one correction of one, as it counts in sums. A call that was interrupted under a hard budget costs what was
 * reserved for it, until somebody finds out: that part is told apart.
 */
const dimensionsOfCall = sql`c.organization_id, (c.started_at at time zone 'UTC')::date as day, c.model_asked as model, c.model_served as served_model,
  c.provider, c.key_id, c.user_id, c.end_user, c.feature`;
const measuresOfCall = (sign: 1 | -1) => {
  const times = sign === 1 ? sql`` : sql`-`;
  return sql`${dimensionsOfCall}, ${times}1 as calls, ${times}(c.outcome = 'failed')::int as failed_calls,
    ${times}(c.outcome = 'interrupted')::int as interrupted_calls, ${times}(c.cost_nano_usd is null)::int as unpriced_calls,
    ${times}coalesce(c.prompt_tokens, 0) as prompt_tokens, ${times}coalesce(c.completion_tokens, 0) as completion_tokens,
    ${times}coalesce(c.cached_tokens, 0) as cached_tokens, ${times}coalesce(c.cache_write_tokens, 0) as cache_write_tokens,
    ${times}coalesce(c.reasoning_tokens, 0) as reasoning_tokens, ${times}coalesce(c.cost_nano_usd, 0) as cost_nano_usd,
    ${times}case when c.outcome = 'interrupted' then coalesce(c.cost_nano_usd, 0) else 0 end as reserved_nano_usd`;
};
const correctionsAsMeasures = sql`${dimensionsOfCall}, 0, 0, 0, (x.cost_nano_usd is null)::int - (x.previous_cost_nano_usd is null)::int, x.prompt_tokens,
  x.completion_tokens, x.cached_tokens, x.cache_write_tokens, x.reasoning_tokens, coalesce(x.cost_nano_usd, 0) - coalesce(x.previous_cost_nano_usd, 0),
  case when c.outcome = 'interrupted' and x.number = 1 then -coalesce(x.previous_cost_nano_usd, 0) else 0 end
  from holdfast.call_corrections x join holdfast.calls c on c.id = x.call_id`;

/**
 * All that became visible from commit `from` on, and before `to` where it is given. A row that gave way to another one counts from its own commit
 * on, and against itself from its removal on, whether a sum was made between them or not.
 */
export function committedBetween(from: ReturnType<typeof sql>, to?: ReturnType<typeof sql>) {
  const during = (column: string) => sql`${sql.ref(column)} >= ${from} ${to ? sql`and ${sql.ref(column)} < ${to}` : sql``}`;
  return sql`select ${measuresOfCall(1)} from holdfast.calls c where ${during('c.committed_in')}
    union all select ${measuresOfCall(1)} from holdfast.call_removals c where ${during('c.committed_in')}
    union all select ${measuresOfCall(-1)} from holdfast.call_removals c where ${during('c.removed_in')}
    union all select ${correctionsAsMeasures} where ${during('x.committed_in')}`;
}

const list = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(name)));

/**
 * Adds what was committed since the last time, once, in one transaction: all below the oldest transaction that runs is visible and final. One
 * instance at a time; those that come meanwhile leave it to the first. Returns false where it could not be done now.
 */
async function addCommitted(jobs: Kysely<Schema>): Promise<boolean> {
  return jobs.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ known: boolean }>`select cluster = (select system_identifier from pg_control_system()) as known
      from holdfast.cost_state for update skip locked`.execute(transaction);
    if (rows[0]?.known !== true) return false;
    const horizon = sql`(select pg_snapshot_xmin(pg_current_snapshot())::text::bigint)`;
    const { rows: until } = await sql<{ to: string }>`select ${horizon}::text as to`.execute(transaction);
    const to = sql`${until[0]!.to}::bigint`;
    await sql`
      insert into holdfast.cost_days as d (organization_id, day, ${list(costDimensions)}, ${list(costMeasures)})
      select organization_id, day, ${list(costDimensions)}, ${sql.join(costMeasures.map((name) => sql`sum(${sql.ref(name)})`))}
      from (${committedBetween(sql`(select summed_to from holdfast.cost_state)`, to)}) as added
      group by organization_id, day, ${list(costDimensions)}
      on conflict (organization_id, day, ${list(costDimensions)}) do update set
        ${sql.join(costMeasures.map((name) => sql`${sql.ref(name)} = ${sql.ref(`d.${name}`)} + ${sql.ref(`excluded.${name}`)}`))}`.execute(
      transaction,
    );
    await sql`update holdfast.cost_state set summed_to = ${to}, at = now()`.execute(transaction);
    return true;
  });
}

/** Keeps the sums by day. Safe on several instances at once, and to stop at any moment: what was not added is added next time. */
export function createCostSums({ database, clock }: CostSumsOptions) {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  const add = (): Promise<boolean> => addCommitted(database.query('jobs'));

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(clock, everyMs, stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return;
      await add().catch((error: unknown) => costSumsFailed.publish({ error }));
    }
  }

  return {
    add,
    start(): void {
      running ??= loop();
    },
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}
