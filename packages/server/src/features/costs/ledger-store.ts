import type pg from 'pg';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import type { Clock, Timer } from '@holdfast/kit/time';
import { mapDatabaseError, observeQuery, WireConnection, type ArrayParameter, type WireStatement } from '../../platform/postgres/index.ts';

/** One row for one of the two tables, as a binary value of its composite type. */
export interface LedgerWrite {
  readonly kind: 'intent' | 'row';
  readonly bytes: Buffer;
}

const commonColumns = `id, organization_id, instance_id, request_id, key_id, user_id, end_user, feature, operation, dialect, streamed,
  model_asked, provider, started_at`;
const intentColumns = `${commonColumns}, reserved_nano`;
const rowColumns = `${commonColumns}, model_served, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens,
  usage_source, cost_nano_usd, outcome, error_code, finish_reason, status, latency_ms, first_token_ms, overhead_ms, layers, attempts,
  finished_at`;

/** The types that batches of intents and of rows travel as. Versions of the server that write other columns have types of their own. */
export const ledgerTypes = { intent: 'holdfast.call_intent_2', row: 'holdfast.call_row_1' } as const;

/**
 * A few fixed statements, so that each is planned once whatever the size of a batch. The batch travels as one binary array
 * of rows; `docs/decisions` has what was measured against it. A first try does without ON CONFLICT, which makes the database
 * write every row twice; ids are fresh then.
 */
function statementsFor(suffix: string, onConflict: string) {
  const intents = `insert into holdfast.call_intents (${intentColumns}) select ${intentColumns} from unnest($1::${ledgerTypes.intent}[]) ${onConflict}`;
  const rows = (parameter: string) =>
    `insert into holdfast.calls (${rowColumns}) select ${rowColumns} from unnest(${parameter}::${ledgerTypes.row}[]) ${onConflict}`;
  return {
    intents: { name: `holdfast_intents${suffix}`, text: intents },
    rows: { name: `holdfast_rows${suffix}`, text: rows('$1') },
    both: { name: `holdfast_both${suffix}`, text: `with intents as (${intents}) ${rows('$2')}` },
  };
}
export const ledgerStatements = statementsFor('', '');
const repeated = statementsFor('_again', 'on conflict (id) do nothing');

/** How long one commit may take before its connection is given up, in milliseconds. A hanging database must not hang its callers. */
const commitTimeoutMs = 2_500;

/** A connection, and the type identifiers that its database gave to our types. */
interface Connection {
  readonly wire: WireConnection;
  readonly intentOid: number;
  readonly rowOid: number;
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
      const { rows } = await client.query<{ intent: number; row: number }>(
        `select '${ledgerTypes.intent}'::regtype::oid as intent, '${ledgerTypes.row}'::regtype::oid as row`,
      );
      const wire = new WireConnection(client, () => {
        if (connection?.wire === wire) connection = undefined;
      });
      return { wire, intentOid: rows[0]!.intent, rowOid: rows[0]!.row };
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async function commit(batch: readonly LedgerWrite[], again: boolean): Promise<void> {
    connection ??= await connect();
    const { wire, intentOid, rowOid } = connection;
    const { intents, rows, both } = again ? repeated : ledgerStatements;
    const newIntents: Buffer[] = [];
    const newRows: Buffer[] = [];
    for (const { kind, bytes } of batch) (kind === 'row' ? newRows : newIntents).push(bytes);
    const send = (statement: WireStatement, parameters: readonly ArrayParameter[]) =>
      observeQuery({ role: 'writer', statement: statement.text, clock }, () => wire.execute(statement, parameters));
    const intentArray = { elementOid: intentOid, values: newIntents };
    const rowArray = { elementOid: rowOid, values: newRows };
    if (newIntents.length === 0) await send(rows, [rowArray]);
    else if (newRows.length === 0) await send(intents, [intentArray]);
    else await send(both, [intentArray, rowArray]);
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

function unavailable(detail: string): HoldfastError {
  return new HoldfastError('database_unavailable', { detail });
}
