import { sql, type Kysely } from 'kysely';
import { defineChannel, runUpkeep } from '@holdfast/kit/events';
import { sleep, type Clock } from '@holdfast/kit/time';
import type { Database, Schema } from '../../platform/postgres/index.ts';
import { insertEvents, type PersonalReferences } from '../../platform/audit/index.ts';
import { interruptedCallEvent, type InterruptedIntent } from './call-event.ts';
import { closeDeadSlices, forgetEndedBudgets } from './budgets/index.ts';
import { deadAfterMs } from './instance-lease.ts';

export interface CallsRecovered {
  /** Calls of instances that died, now in the ledger as interrupted. */
  readonly interrupted: number;
}

export const callsRecovered = defineChannel<CallsRecovered>('holdfast:costs:calls-recovered');

export interface RecoveryFailed {
  readonly error: unknown;
}

export const recoveryFailed = defineChannel<RecoveryFailed>('holdfast:costs:recovery-failed');

export interface RecoveryOptions {
  readonly database: Pick<Database, 'query'>;
  /** The instance that does the work, which is alive by that. */
  readonly instanceId: () => string;
  readonly references: PersonalReferences;
  readonly clock: Clock;
}

/** Says that an instance is alive, by the database's clock: the only one that all instances share. */
export async function writeBeat(database: Pick<Database, 'query'>, instanceId: string): Promise<void> {
  await sql`insert into holdfast.instances (id, started_at, seen_at) values (${instanceId}, now(), now())
    on conflict (id) do update set seen_at = now()`.execute(database.query('writer'));
}

/** Rows that one statement touches at most: small enough that no lock is held for long. */
const pageSize = 1_000;
const everyMs = 30_000;

/**
 * Brings the intents of calls to their end: those of a dead instance become rows with the outcome `interrupted`, those
 * that have a row are removed. Safe to run on several instances at once and to repeat: a row is known by its call's id.
 */
export function createRecovery({ database, instanceId, references, clock }: RecoveryOptions) {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  /** With `aloneOnDatabase`, every other instance is dead: the embedded database serves one at a time. */
  async function recover(options: { readonly aloneOnDatabase?: boolean } = {}): Promise<number> {
    const jobs = database.query('jobs');
    let interrupted = 0;
    for (;;) {
      const { found, added } = await settlePage(jobs, instanceId(), options.aloneOnDatabase ?? false, clock.now(), references);
      interrupted += added;
      if (found < pageSize) break;
    }
    while ((await forgetPage(jobs)) === pageSize);
    // After the calls, since what a dead instance spent is what its rows say.
    await closeDeadSlices(jobs, { self: instanceId(), alone: options.aloneOnDatabase ?? false, deadAfterMs });
    await forgetEndedBudgets(jobs);
    await forgetInstances(jobs, instanceId());
    if (interrupted > 0) callsRecovered.publish({ interrupted });
    return interrupted;
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(clock, everyMs, stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return;
      await runUpkeep('holdfast.recovery', () => recover()).catch((error: unknown) => recoveryFailed.publish({ error }));
    }
  }

  return {
    recover,
    start(): void {
      running ??= loop();
    },
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}

/** Row and event of each in one transaction. Of two recoveries that found the same call one writes both. */
async function settlePage(jobs: Kysely<Schema>, self: string, alone: boolean, nowMs: number, references: PersonalReferences) {
  return jobs.transaction().execute(async (transaction) => {
    const { rows: intents } = await sql<InterruptedIntent>`
      select i.* from holdfast.call_intents i
      where i.instance_id <> ${self}
        and (${alone} or not exists (
          select from holdfast.instances n
          where n.id = i.instance_id and n.seen_at > now() - make_interval(secs => ${deadAfterMs / 1000})))
        and not exists (select from holdfast.calls c where c.id = i.id)
      order by i.id
      limit ${pageSize}`.execute(transaction);
    if (intents.length === 0) return { found: 0, added: 0 };
    // What the dead call had used is not known to anybody here: no tokens, and no price, which is not the same as 0. Under a hard budget it
    // counts as the most that it can have cost, until somebody finds out.
    const { rows: added } = await sql<{ id: string }>`
      insert into holdfast.calls (id, organization_id, instance_id, request_id, key_id, user_id, end_user, feature, operation, dialect,
        streamed, model_asked, provider, usage_source, cost_nano_usd, outcome, started_at, finished_at)
      select i.id, i.organization_id, i.instance_id, i.request_id, i.key_id, i.user_id, i.end_user, i.feature, i.operation, i.dialect,
        i.streamed, i.model_asked, i.provider, 'none',
        case when given_up.budgets then 0 else i.reserved_nano end, 'interrupted', i.started_at, now()
      from holdfast.call_intents i
      -- An intent that was written when its instance had been given up already, with its slices: it has sent nothing.
      cross join lateral (
        select coalesce(bool_and(s.closed), false) as budgets from holdfast.budget_slices s
        where i.reserved_nano is not null and s.instance_id = i.instance_id and s.organization_id = i.organization_id) given_up
      where i.id = any(${intents.map(({ id }) => id)}::uuid[])
      order by i.id
      on conflict (id) do nothing
      returning id`.execute(transaction);
    const settled = new Set(added.map(({ id }) => id));
    await insertEvents(
      transaction,
      intents.filter(({ id }) => settled.has(id)).map((intent) => interruptedCallEvent(intent, nowMs, references)),
    );
    return { found: intents.length, added: added.length };
  });
}

async function forgetPage(jobs: Kysely<Schema>): Promise<number> {
  const result = await sql`
    delete from holdfast.call_intents where id in (
      select i.id from holdfast.call_intents i join holdfast.calls c on c.id = i.id limit ${pageSize})`.execute(jobs);
  return Number(result.numAffectedRows ?? 0n);
}

async function forgetInstances(jobs: Kysely<Schema>, self: string): Promise<void> {
  await sql`
    delete from holdfast.instances n
    where n.id <> ${self} and n.seen_at < now() - interval '1 day'
      and not exists (select from holdfast.call_intents i where i.instance_id = n.id)`.execute(jobs);
}
