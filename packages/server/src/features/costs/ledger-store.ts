import type pg from 'pg';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import type { Clock, Timer } from '@holdfast/kit/time';
import { auditEventType, auditPersonalType, personalRowBytes, type PersonalReference } from '../../platform/audit/index.ts';
import { mapDatabaseError, observeQuery, WireConnection, type ArrayParameter, type WireStatement } from '../../platform/postgres/index.ts';

/** What is to be committed, as binary values of composite types. */
export interface LedgerWrite {
  readonly kind: 'intent' | 'row' | 'event';
  /** Of the type of its kind. */
  readonly bytes: Buffer;
  /** Of a row, the audit event of its call: committed when the row is new. */
  readonly event?: Buffer;
  /** What the event refers to, as far as it was not durable when the event was made. */
  readonly personal?: readonly PersonalReference[] | undefined;
}

const commonColumns = `id, organization_id, instance_id, request_id, key_id, user_id, end_user, feature, operation, dialect, streamed,
  model_asked, provider, started_at`;
export const intentColumns = `${commonColumns}, reserved_nano`;
export const rowColumns = `${commonColumns}, model_served, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens,
  usage_source, cost_nano_usd, outcome, error_code, finish_reason, status, latency_ms, first_token_ms, overhead_ms, layers, attempts,
  finished_at, price_id, usage_details`;

export const eventColumns = 'id, organization_id, body';
export const personalColumns = 'ref, organization_id, kind, tag, salt, sealed, created_at';

/** The parts of a batch, and the types that their values travel as. Versions of the server that write other columns have types of their own. */
export const ledgerTypes = {
  intents: 'holdfast.call_intent_2',
  rows: 'holdfast.call_row_2',
  /** One for each of the rows. */
  rowEvents: auditEventType,
  /** Of no row. */
  events: auditEventType,
  personal: auditPersonalType,
} as const;

export type LedgerPart = keyof typeof ledgerTypes;

const partNames = Object.keys(ledgerTypes) as LedgerPart[];

/**
 * One statement for all that is written at once, so that a row and its event exist together; a few fixed ones, so that each is planned once
 * whatever the size of a batch. A batch travels as binary arrays; `docs/decisions` has what was measured against it. A first try does without
 * ON CONFLICT, which makes the database write every row twice; ids are fresh then. With `again`, the event of a row that is there already is
 * left out: it was committed with that row, or another instance told another end of the call. Other events may come twice; the log takes one.
 */
function statementFor(present: readonly LedgerPart[], again: boolean): WireStatement {
  const insert = (part: LedgerPart, table: string, columns: string, rest: string): string =>
    present.includes(part)
      ? `insert into holdfast.${table} (${columns}) select ${columns} from unnest($${present.indexOf(part) + 1}::${ledgerTypes[part]}[]) ${rest}`
      : '';
  const onConflict = again ? 'on conflict (id) do nothing' : '';
  const ofNewRows = again ? 'where id in (select id from added)' : '';
  const inserts = [
    ['intents', insert('intents', 'call_intents', intentColumns, onConflict)],
    ['added', insert('rows', 'calls', rowColumns, again ? `${onConflict} returning id` : '')],
    ['personal', insert('personal', 'audit_personal', personalColumns, 'on conflict (ref) do nothing')],
    ['row_events', insert('rowEvents', 'audit_inbox', eventColumns, ofNewRows)],
    ['events', insert('events', 'audit_inbox', eventColumns, '')],
  ].filter(([, text]) => text !== '');
  const last = inserts.pop()![1]!;
  const before = inserts.map(([name, text]) => `${name} as (${text})`).join(', ');
  return {
    name: `holdfast_${present.join('_').toLowerCase()}${again ? '_again' : ''}`,
    text: before === '' ? last : `with ${before} ${last}`,
  };
}

const statements = new Map<string, WireStatement>();

/** The statement for a batch that consists of these parts, in the order of `ledgerTypes`. */
export function ledgerStatement(present: readonly LedgerPart[], again: boolean): WireStatement {
  const key = `${present.join()}${again}`;
  let statement = statements.get(key);
  if (statement === undefined) statements.set(key, (statement = statementFor(present, again)));
  return statement;
}

/** How long one commit may take before its connection is given up, in milliseconds. A hanging database must not hang its callers. */
const commitTimeoutMs = 2_500;

/** A connection, and the type identifiers that its database gave to our types. */
interface Connection {
  readonly wire: WireConnection;
  readonly oids: Readonly<Record<LedgerPart, number>>;
}

export interface LedgerWriter {
  /** With `again`, rows that are there already are left as they are; without, they are an error. */
  write(batch: readonly LedgerWrite[], again: boolean): Promise<void>;
  close(): void;
}

/**
 * Writes batches on one connection of the writer's, kept as long as it works. Errors are those of `mapDatabaseError`.
 * When a commit's answer is lost, whether it happened is unknown; writing the batch `again` is safe.
 */
export function createLedgerWriter(pool: () => pg.Pool, clock: Clock): LedgerWriter {
  let connection: Connection | undefined;

  function drop(): void {
    const dropped = connection;
    connection = undefined;
    dropped?.wire.close();
  }

  let connecting: Promise<Connection> | undefined;

  /** One at a time, also when a commit did not wait for it: the next one finds what came of it. */
  function connect(): Promise<Connection> {
    return (connecting ??= openConnection().finally(() => (connecting = undefined)));
  }

  async function openConnection(): Promise<Connection> {
    const client = await pool().connect();
    try {
      // The server gives up when we do: what it went on with unseen would hold locks that the next try waits for.
      await client.query(`set statement_timeout = ${commitTimeoutMs}`);
      const { rows } = await client.query<Connection['oids']>(
        `select ${partNames.map((part) => `'${ledgerTypes[part]}'::regtype::oid as "${part}"`).join(', ')}`,
      );
      const wire = new WireConnection(client, () => {
        if (connection?.wire === wire) connection = undefined;
      });
      return { wire, oids: rows[0]! };
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async function commit(batch: readonly LedgerWrite[], again: boolean): Promise<void> {
    connection ??= await connect();
    const { wire, oids } = connection;
    const { parts, references } = partsOf(batch);
    const present: LedgerPart[] = [];
    const parameters: ArrayParameter[] = [];
    for (const part of partNames) {
      if (parts[part].length === 0) continue;
      present.push(part);
      parameters.push({ elementOid: oids[part], values: parts[part] });
    }
    const statement = ledgerStatement(present, again);
    await observeQuery({ role: 'writer', statement: statement.text, clock }, () => wire.execute(statement, parameters));
    // From now on events refer to them without more ado.
    for (const reference of references) reference.row = undefined;
  }

  return {
    async write(batch, again) {
      let timer: Timer | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          timer = clock.setTimeout(() => reject(unavailable(`a commit took longer than ${commitTimeoutMs} ms`)), commitTimeoutMs);
          commit(batch, again).then(resolve, reject);
        });
      } catch (error) {
        const mapped = mapDatabaseError(error);
        if (isHoldfastError(mapped)) drop();
        throw mapped;
      } finally {
        (timer as Timer | undefined)?.cancel();
      }
    },
    close: drop,
  };
}

function partsOf(batch: readonly LedgerWrite[]) {
  const parts: Record<LedgerPart, Buffer[]> = { intents: [], rows: [], rowEvents: [], events: [], personal: [] };
  let needed: Set<PersonalReference> | undefined;
  for (const { kind, bytes, event, personal } of batch) {
    if (kind === 'intent') parts.intents.push(bytes);
    else if (kind === 'event') parts.events.push(bytes);
    else {
      parts.rows.push(bytes);
      if (event !== undefined) parts.rowEvents.push(event);
    }
    if (personal === undefined) continue;
    // Several events of a batch may refer to one value. One that became durable since the event was made needs no row any more.
    for (const reference of personal) if (reference.row !== undefined) (needed ??= new Set()).add(reference);
  }
  // In one order everywhere: a replay may be writing some of them, and two must not wait for each other.
  const references = needed === undefined ? [] : [...needed].sort((a, b) => (a.ref < b.ref ? -1 : 1));
  for (const { row } of references) parts.personal.push(personalRowBytes(row!));
  return { parts, references };
}

function unavailable(detail: string): HoldfastError {
  return new HoldfastError('database_unavailable', { detail });
}
