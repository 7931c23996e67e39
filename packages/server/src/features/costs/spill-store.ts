import type pg from 'pg';
import { canonicalJson, type CanonicalValue } from '@holdfast/kit/audit';
import { HoldfastError } from '@holdfast/kit/errors';
import { auditEventBytes } from '../../platform/audit/index.ts';
import { compositeArray, mapDatabaseError } from '../../platform/postgres/index.ts';
import type { ReplayTarget } from '../../platform/spill/index.ts';
import { eventColumns, intentColumns, ledgerTypes, personalColumns, rowColumns, type LedgerPart } from './ledger-store.ts';
import { leadingId, readSpilled, UnreadableRecord, type SpilledRecord } from './spilled-write.ts';

export interface Replayed {
  /** Calls that are in the ledger by this replay. */
  readonly rows: number;
  /** Of these, how many another instance had settled as interrupted. */
  readonly superseded: number;
  readonly intents: number;
  /** Audit events that are not of a call with a row. */
  readonly events: number;
}

export interface SpillTargetOptions {
  /** Connections as `jobs`. */
  readonly pool: () => pg.Pool;
  /** For events that take the place of others. */
  readonly createId: () => string;
  readonly onReplayed?: (replayed: Replayed) => void;
  /** Of a record that the database refuses for good, or that this version cannot read. Resolves when it is durable somewhere else: it is passed over then. */
  readonly onRefused: (record: Buffer, error: unknown) => Promise<void>;
}

/**
 * Of a call that is in the ledger there is one row. The only one that gives way is `interrupted`: another instance wrote it for a call whose
 * own instance was cut off, knew better, and says so now. Not an update, for which this role would have to read what calls say.
 */
const findInterrupted = `select c.id from holdfast.calls c where c.id = any($1::uuid[]) and c.outcome = 'interrupted'
  and not exists (select from holdfast.call_corrections x where x.call_id = c.id)`;
const deleteInterrupted = `delete from holdfast.calls where id = any($1::uuid[]) and outcome = 'interrupted' returning id, cost_nano_usd`;

const insertRows = `insert into holdfast.calls (${rowColumns}) select ${rowColumns} from unnest($1::${ledgerTypes.rows}[])
  on conflict (id) do nothing returning id`;
const insertIntents = `insert into holdfast.call_intents (${intentColumns}) select ${intentColumns} from unnest($1::${ledgerTypes.intents}[]) i
  where not exists (select from holdfast.calls c where c.id = i.id) on conflict (id) do nothing`;
const insertEvents = `insert into holdfast.audit_inbox (${eventColumns}) select ${eventColumns} from unnest($1::${ledgerTypes.events}[])`;
// Those that are there are left alone: the writer of this instance may be writing what is new to it at this moment, and wait for us.
const insertPersonal = `insert into holdfast.audit_personal (${personalColumns}) select ${personalColumns} from unnest($1::${ledgerTypes.personal}[]) n
  where not exists (select from holdfast.audit_personal p where p.ref = n.ref) order by ref on conflict (ref) do nothing`;

/**
 * What was closed of budgets counted these calls as the ledger had them then: not at all, or at what was reserved for them. Slices that are open
 * are counted by who holds them, or by who closes them, and whoever does that right now is waited for first.
 */
const lockSlices = `select from holdfast.budget_slices s where s.instance_id in (select instance_id from holdfast.calls where id = any($1::uuid[])) for share`;
const correctWindows = `
  with changed as (
    select c.organization_id, c.instance_id, c.key_id, c.user_id, c.started_at, coalesce(c.cost_nano_usd, 0) - coalesce(o.cost, 0) as delta
    from holdfast.calls c left join unnest($2::uuid[], $3::bigint[]) o (id, cost) on o.id = c.id
    where c.id = any($1::uuid[])
  ), deltas as (
    select w.budget_id, w.period_start, sum(n.delta)::bigint as delta
    from changed n
    join holdfast.budgets b on b.organization_id = n.organization_id
      and (b.subject = 'organization' or b.subject_ids @> array[case b.subject when 'user' then n.user_id else n.key_id end])
      and (b.period <> 'total' or n.started_at >= b.created_at)
    join holdfast.budget_windows w on w.budget_id = b.id and n.started_at >= w.period_start and (w.period_end is null or n.started_at < w.period_end)
    where not exists (
      select from holdfast.budget_slices s
      where s.budget_id = w.budget_id and s.period_start = w.period_start and s.instance_id = n.instance_id and not s.closed)
    group by w.budget_id, w.period_start
  )
  update holdfast.budget_windows w set closed_nano = greatest(w.closed_nano + d.delta, 0)
  from deltas d where w.budget_id = d.budget_id and w.period_start = d.period_start and d.delta <> 0`;

/** Brings what was spilled into the ledger, each record once: rows, their events and the marker of how far it went in one transaction. */
export function createSpillTarget({ pool, createId, onReplayed, onRefused }: SpillTargetOptions): ReplayTarget {
  async function inTransaction<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const client = await pool()
      .connect()
      .catch((error: unknown) => {
        throw mapDatabaseError(error);
      });
    let failed = true;
    try {
      await client.query('begin');
      const result = await work(client);
      await client.query('commit');
      failed = false;
      return result;
    } catch (error) {
      throw mapDatabaseError(error);
    } finally {
      // With the connection goes what it had begun.
      client.release(failed);
    }
  }

  async function apply(segment: string, from: number, records: readonly Buffer[]): Promise<void> {
    try {
      const replayed = await inTransaction(async (client) => {
        // First, since its lock keeps two replays of one file from each other.
        await moveMarker(client, segment, from, records.length);
        return write(client, records.map(readSpilled), createId);
      });
      onReplayed?.(replayed);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (records.length > 1) {
        for (let index = 0; index < records.length; index++) await apply(segment, from + index, [records[index]!]);
        return;
      }
      await onRefused(records[0]!, error);
      await inTransaction((client) => moveMarker(client, segment, from, 1));
    }
  }

  return {
    applied: (segment) =>
      inTransaction(async (client) => {
        const { rows } = await client.query<{ records: number }>('select records from holdfast.spill_segments where segment = $1', [
          segment,
        ]);
        return rows[0]?.records ?? 0;
      }),
    apply,
    forget: (segment) =>
      inTransaction(async (client) => void (await client.query('delete from holdfast.spill_segments where segment = $1', [segment]))),
  };
}

async function write(client: pg.PoolClient, records: readonly SpilledRecord[], createId: () => string): Promise<Replayed> {
  const send = sender(client);
  await send('personal', insertPersonal, distinct(records.flatMap(({ personal }) => personal)));
  // The last one of a call counts. In the order of their ids, as whoever settles the calls of the dead writes them.
  const byCall = new Map(records.flatMap((record) => (record.row ? [[leadingId(record.row), record] as const] : [])));
  const calls = new Map([...byCall].sort(([a], [b]) => (a < b ? -1 : 1)));
  const { inserted, superseded } = await writeRows(client, send, calls);
  await correctBudgets(client, inserted, superseded);

  const intents = records.flatMap(({ intent }) => (intent !== undefined && !calls.has(leadingId(intent)) ? [intent] : []));
  const kept = await send('intents', insertIntents, intents);
  const ofRows = [...calls].flatMap(([id, { event }]) => {
    if (event === undefined || !inserted.has(id)) return [];
    return [superseded.has(id) ? superseding(event, id, createId()) : event];
  });
  const ofNone = records.flatMap(({ row, event }) => (row === undefined && event !== undefined ? [event] : []));
  await send('events', insertEvents, [...ofRows, ...ofNone]);
  return { rows: inserted.size, superseded: superseded.size, intents: kept.rowCount ?? 0, events: ofNone.length };
}

type Send = ReturnType<typeof sender>;

function sender(client: pg.PoolClient) {
  return async <Row extends pg.QueryResultRow>(part: LedgerPart, statement: string, values: readonly Buffer[]) => {
    if (values.length === 0) return { rows: [] as Row[], rowCount: 0 };
    const { rows } = await client.query<{ oid: number }>('select $1::regtype::oid as oid', [ledgerTypes[part]]);
    return client.query<Row>(statement, [compositeArray(rows[0]!.oid, values)]);
  };
}

interface WrittenRows {
  /** Calls of which the ledger had none, or only that they were interrupted. */
  readonly inserted: ReadonlySet<string>;
  /** What they were counted at before. */
  readonly superseded: ReadonlyMap<string, number | null>;
}

async function writeRows(client: pg.PoolClient, send: Send, calls: ReadonlyMap<string, SpilledRecord>): Promise<WrittenRows> {
  const inserted = new Set<string>();
  const superseded = new Map<string, number | null>();
  let left = calls;
  // Another instance may settle one of these calls between the two statements: then its row is seen, and gives way, in the next round.
  for (let round = 0; left.size > 0; round++) {
    const removed = await removeInterrupted(client, [...left.keys()]);
    if (round > 0 && removed.length === 0) break;
    for (const { id, cost_nano_usd } of removed) superseded.set(id, cost_nano_usd);
    const { rows } = await send<{ id: string }>(
      'rows',
      insertRows,
      [...left.values()].map(({ row }) => row!),
    );
    for (const { id } of rows) inserted.add(id);
    left = new Map([...left].filter(([id]) => !inserted.has(id)));
  }
  return { inserted, superseded };
}

/** All but those that an operator has set right by the provider's account: of them more is known than their instance can say. */
async function removeInterrupted(client: pg.PoolClient, ids: readonly string[]) {
  const { rows: found } = await client.query<{ id: string }>(findInterrupted, [ids]);
  if (found.length === 0) return [];
  const interrupted = found.map(({ id }) => id);
  return (await client.query<{ id: string; cost_nano_usd: number | null }>(deleteInterrupted, [interrupted])).rows;
}

async function correctBudgets(
  client: pg.PoolClient,
  inserted: ReadonlySet<string>,
  superseded: ReadonlyMap<string, number | null>,
): Promise<void> {
  if (inserted.size === 0) return;
  const ids = [...inserted];
  await client.query(lockSlices, [ids]);
  await client.query(correctWindows, [ids, [...superseded.keys()], [...superseded.values()]]);
}

/**
 * The event of a call whose id stands in the log already, in the event that said `interrupted`: it has an id of its own and names the other. Nothing
 * in a log is ever taken back.
 */
function superseding(event: Buffer, callId: string, id: string): Buffer {
  const { organizationId, body } = readEvent(event);
  const { details, ...rest } = JSON.parse(body) as { readonly details: CanonicalValue } & Record<string, CanonicalValue>;
  return auditEventBytes(id, organizationId, canonicalJson({ ...rest, id, details: { ...(details as object), supersedes: callId } }));
}

/** Organization and body of a value of `holdfast.audit_event_1`: the fields behind its id, each with its type and length. */
function readEvent(event: Buffer): { readonly organizationId: string | null; readonly body: string } {
  const length = event.readInt32BE(32);
  const organizationId = length < 0 ? null : leadingId(event.subarray(24));
  const body = 36 + Math.max(length, 0) + 8;
  return { organizationId, body: event.toString('utf8', body) };
}

function distinct(values: readonly Buffer[]): Buffer[] {
  return [...new Map(values.map((value) => [value.toString('latin1'), value])).values()];
}

/** Refuses to move it from where it is not: somebody else has replayed these records meanwhile. */
async function moveMarker(client: pg.PoolClient, segment: string, from: number, count: number): Promise<void> {
  const { rowCount } =
    from === 0
      ? await client.query('insert into holdfast.spill_segments (segment, records) values ($1, $2) on conflict (segment) do nothing', [
          segment,
          count,
        ])
      : await client.query('update holdfast.spill_segments set records = $2 + $3, updated_at = now() where segment = $1 and records = $2', [
          segment,
          from,
          count,
        ]);
  if (rowCount !== 1) {
    throw new HoldfastError('database_unavailable', {
      detail: `segment ${segment} of the spill is not at ${from}: another process replays it`,
    });
  }
}

/** What is wrong with the record itself: a value that the database does not take, or a form that this version does not know. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UnreadableRecord) return true;
  const state = error instanceof Error && 'code' in error ? String(error.code) : '';
  return state.startsWith('22') || state.startsWith('23');
}
