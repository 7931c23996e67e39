import type pg from 'pg';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import type { Clock, Timer } from '@holdfast/kit/time';
import { mapDatabaseError } from '../../platform/postgres/index.ts';

/** One row for one of the two tables, as JSON text. */
export interface LedgerWrite {
  readonly kind: 'intent' | 'row';
  readonly text: string;
}

const insertIntents = `insert into holdfast.call_intents (id, organization_id, instance_id, request_id, key_id, user_id, end_user, feature,
  operation, dialect, streamed, model_asked, provider, started_at)
select id, organization_id, instance_id, request_id, key_id, user_id, end_user, feature,
  operation, dialect, streamed, model_asked, provider, started_at
from json_populate_recordset(null::holdfast.call_intents, $1::json) on conflict (id) do nothing`;

const columns = `id, organization_id, instance_id, request_id, key_id, user_id, end_user, feature, operation, dialect, streamed,
  model_asked, model_served, provider, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens,
  usage_source, cost_nano_usd, outcome, error_code, finish_reason, status, latency_ms, first_token_ms, overhead_ms, layers, attempts,
  started_at, finished_at`;

const insertRows = (parameter: string) => `insert into holdfast.calls (${columns})
select ${columns} from json_populate_recordset(null::holdfast.calls, ${parameter}::json) on conflict (id) do nothing`;

/**
 * Three fixed statements, so that each is planned once whatever the size of a batch. The batch travels as one JSON text:
 * measured against one parameter a column, arrays with unnest, and COPY, that takes the least of this process's time
 * (5–12 µs a row at 8 to 64 rows, against 10–17) and the same time of the database's.
 */
const statements = {
  intents: { name: 'holdfast_intents', text: insertIntents },
  rows: { name: 'holdfast_rows', text: insertRows('$1') },
  both: { name: 'holdfast_both', text: `with intents as (${insertIntents}) ${insertRows('$2')}` },
} as const;

/** How long one commit may take before its connection is given up, in milliseconds. A hanging database must not hang its callers. */
const commitTimeoutMs = 2_500;

/**
 * Writes batches on one connection of the writer's, kept as long as it works. Errors are those of `mapDatabaseError`.
 * When a commit's answer is lost, whether it happened is unknown; writing the batch again is safe.
 */
export function createLedgerWriter(
  pool: () => pg.Pool,
  clock: Clock,
): { write(batch: readonly LedgerWrite[]): Promise<void>; close(): void } {
  let connection: pg.PoolClient | undefined;

  function drop(): void {
    const dropped = connection;
    connection = undefined;
    dropped?.release(true);
  }

  let connecting: Promise<pg.PoolClient> | undefined;

  /** One at a time, also when a commit did not wait for it: the next one finds what came of it. */
  function connect(): Promise<pg.PoolClient> {
    return (connecting ??= pool()
      .connect()
      .then((client) => {
        client.on('error', () => {
          if (connection === client) drop();
        });
        return client;
      })
      .finally(() => (connecting = undefined)));
  }

  async function commit(statement: { name: string; text: string }, values: string[]): Promise<void> {
    const client = connection ?? (await connect());
    connection = client;
    await client.query({ ...statement, values });
  }

  return {
    async write(batch) {
      const { statement, values } = statementFor(batch);
      let timer: Timer | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          timer = clock.setTimeout(() => reject(unavailable(`a commit took longer than ${commitTimeoutMs} ms`)), commitTimeoutMs);
          commit(statement, values).then(resolve, reject);
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

function statementFor(batch: readonly LedgerWrite[]): { statement: { name: string; text: string }; values: string[] } {
  let intents = '';
  let rows = '';
  for (const { kind, text } of batch) {
    if (kind === 'intent') intents += `${intents === '' ? '' : ','}${text}`;
    else rows += `${rows === '' ? '' : ','}${text}`;
  }
  if (intents === '') return { statement: statements.rows, values: [`[${rows}]`] };
  if (rows === '') return { statement: statements.intents, values: [`[${intents}]`] };
  return { statement: statements.both, values: [`[${intents}]`, `[${rows}]`] };
}
