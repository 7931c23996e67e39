import pg from 'pg';
import type { Random } from '@holdfast/kit/time';
import type { StoredBudget, StoredCall, StoredIntent, StoredLog } from './evidence.ts';
import { pick } from './plan-call.ts';

/** What is stored of calls whose marker begins so, read as the superuser, past the server and its roles. */
export async function readStored(
  socket: { readonly socketDir: string; readonly port: number },
  prefix: string,
): Promise<{ rows: StoredCall[]; intents: StoredIntent[] }> {
  const client = new pg.Client({ host: socket.socketDir, port: socket.port, user: 'postgres', database: 'holdfast' });
  await client.connect();
  try {
    const rows = await client.query<Record<string, unknown>>(
      `select id, end_user, outcome, dialect, streamed, model_asked, model_served, prompt_tokens, completion_tokens, usage_source, cost_nano_usd
       from holdfast.calls where end_user is null or starts_with(end_user, $1)`,
      [prefix],
    );
    // All of them: whoever began it, no intent may be left when nothing runs.
    const intents = await client.query<{ id: string; end_user: string | null }>('select id, end_user from holdfast.call_intents');
    return { rows: rows.rows.map(storedCall), intents: intents.rows.map(({ id, end_user }) => ({ id, marker: end_user })) };
  } finally {
    await client.end();
  }
}

type Socket = { readonly socketDir: string; readonly port: number };

async function asSuperuser<Result>(socket: Socket, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ host: socket.socketDir, port: socket.port, user: 'postgres', database: 'holdfast' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A hard budget over one key, for all time. */
export function addBudget(socket: Socket, name: string, keyId: string, limitNano: number): Promise<void> {
  return asSuperuser(socket, async (client) => {
    await client.query(
      `insert into holdfast.budgets (id, organization_id, name, subject, subject_ids, period, limit_nano, enforcement)
       select gen_random_uuid(), organization_id, $1, 'key', array[id], 'total', $3, 'hard' from holdfast.api_keys where id = $2`,
      [name, keyId, limitNano],
    );
  });
}

export function readBudgets(socket: Socket): Promise<StoredBudget[]> {
  return asSuperuser(socket, async (client) => {
    const { rows } = await client.query<StoredBudget>(
      `select b.name, b.limit_nano::float8 as "limitNano",
         (select coalesce(sum(closed_nano), 0)::float8 from holdfast.budget_windows w where w.budget_id = b.id) as "closedNano",
         (select coalesce(sum(granted_nano), 0)::float8 from holdfast.budget_slices s where s.budget_id = b.id and not s.closed) as "grantedNano",
         (select count(*)::int from holdfast.budget_slices s where s.budget_id = b.id and not s.closed) as "openSlices",
         (select coalesce(sum(cost_nano_usd), 0)::float8 from holdfast.calls c where c.key_id = any(b.subject_ids)) as "ledgerNano"
       from holdfast.budgets b`,
    );
    return rows;
  });
}

/** The audit log and all rows of the ledger, in one view of the database. */
export async function readLog(socket: { readonly socketDir: string; readonly port: number }): Promise<StoredLog> {
  const client = new pg.Client({ host: socket.socketDir, port: socket.port, user: 'postgres', database: 'holdfast' });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const read = async (statement: string) => (await client.query<Record<string, unknown>>(statement)).rows;
    const [head] = await read(`select size, encode(root, 'hex') as root from holdfast.audit_state`);
    const whole = (value: unknown) => (value === null ? null : Number(value));
    return {
      leaves: (await read('select index, id, leaf from holdfast.audit_log order by index')).map(({ index, id, leaf }) => ({
        ...{ index: Number(index), id: id as string, body: leaf as string },
      })),
      waiting: (await read('select id, body from holdfast.audit_inbox order by seq')).map(({ id, body }) => ({
        ...{ id: id as string, body: body as string },
      })),
      head: { size: Number(head!['size']), root: head!['root'] as string },
      checkpoints: (await read('select size, note from holdfast.audit_checkpoints')).map(({ size, note }) => ({
        ...{ size: Number(size), note: note as string },
      })),
      verifierKeys: (await read('select verifier_key from holdfast.audit_keys')).map(({ verifier_key }) => verifier_key as string),
      rejected: (await read('select seq from holdfast.audit_rejected')).length,
      rows: (await read('select id, outcome, prompt_tokens, completion_tokens, cost_nano_usd from holdfast.calls')).map((row) => ({
        id: row['id'] as string,
        outcome: row['outcome'] as string,
        promptTokens: whole(row['prompt_tokens']),
        completionTokens: whole(row['completion_tokens']),
        costNanoUsd: whole(row['cost_nano_usd']),
      })),
    };
  } finally {
    await client.end();
  }
}

function storedCall(row: Record<string, unknown>): StoredCall {
  const whole = (value: unknown) => (value === null ? null : Number(value));
  const text = (value: unknown) => value as string | null;
  return {
    id: row['id'] as string,
    marker: text(row['end_user']),
    outcome: row['outcome'] as string,
    dialect: text(row['dialect']),
    streamed: row['streamed'] as boolean | null,
    modelAsked: text(row['model_asked']),
    modelServed: text(row['model_served']),
    promptTokens: whole(row['prompt_tokens']),
    completionTokens: whole(row['completion_tokens']),
    usageSource: row['usage_source'] as string,
    costNanoUsd: whole(row['cost_nano_usd']),
  };
}

/** kill -9 of a session of the server's, by chance. */
export async function killBackend(socket: { readonly socketDir: string; readonly port: number }, random: Random): Promise<void> {
  const client = new pg.Client({ host: socket.socketDir, port: socket.port, user: 'postgres', database: 'holdfast' });
  // It is thrown out with all the others.
  client.on('error', () => {});
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where backend_type = 'client backend' and usename = 'holdfast' order by pid`,
  );
  process.kill(pick(random, rows).pid, 'SIGKILL');
  await client.end().catch(() => {});
}
