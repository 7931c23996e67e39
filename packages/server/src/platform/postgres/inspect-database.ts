import type pg from 'pg';
import type { Clock } from '@holdfast/kit/time';
import { connectAsLogin } from './server-check.ts';
import type { DatabaseTarget } from './target.ts';

export interface InspectDatabaseOptions {
  readonly target: DatabaseTarget;
  readonly clock: Clock;
  /** A question that takes longer is cancelled by the server, and is not answered then. Default 2,000. */
  readonly statementTimeoutMs?: number;
}

/** What a PostgreSQL tells of itself to a login without privileges. What it does not tell is undefined; `unanswered` says why. */
export interface DatabaseFacts {
  /** `18.4` */
  readonly version: string;
  readonly inRecovery: boolean;
  /** Of one statement that does nothing, over the connection. */
  readonly roundTripMs: number;
  /** Its clock less ours. True to half a round trip. */
  readonly clockSkewMs: number;
  /** That a login without privileges can have. */
  readonly maxConnections: number;
  readonly usedConnections: number | undefined;
  /** Locks that somebody waits for, and for how long the first has. */
  readonly lockWaits: { readonly waiting: number; readonly longestMs: number } | undefined;
  /** Transactions of this database, as far as the login may see them. */
  readonly transactions: { readonly open: number; readonly longestMs: number; readonly longestIdleMs: number } | undefined;
  /** Tables that carry many rows that are dead and not yet cleared away. */
  readonly bloated: readonly { readonly table: string; readonly live: number; readonly dead: number }[] | undefined;
  /** Large tables that are mostly read from end to end. */
  readonly scanned: readonly { readonly table: string; readonly live: number; readonly scans: number }[] | undefined;
  /** Foreign keys whose columns lead no index: each delete of what they refer to reads the whole table. */
  readonly foreignKeysWithoutIndex: readonly { readonly table: string; readonly constraint: string }[] | undefined;
  /** What a CREATE INDEX CONCURRENTLY that failed has left behind: written, and never read. */
  readonly invalidIndexes: readonly string[] | undefined;
  /** Standbys, by name. A login without `pg_monitor` sees them without their lag. */
  readonly standbys: readonly { readonly name: string; readonly lagMs: number | null; readonly lagBytes: number | null }[] | undefined;
  /** Slots that keep WAL for somebody who does not fetch it. */
  readonly replicationSlots: readonly { readonly name: string; readonly active: boolean; readonly retainedBytes: number }[] | undefined;
  /** Transactions until the oldest row has to be frozen count up to 2 × 10⁹; there the database stops taking writes. */
  readonly transactionAge: number | undefined;
  readonly databaseBytes: number | undefined;
  readonly unanswered: readonly { readonly question: string; readonly reason: string }[];
}

/** Rows of a list that are told at most. */
const maxRows = 10;

/**
 * Asks a PostgreSQL (15 to 18) how it fares, on a connection of its own, as the login, which sees the sessions of all roles that it becomes. Reads
 * only; each question is bounded by itself, and one that fails costs none of the others. Throws `database_unavailable` when it cannot be reached.
 */
export async function inspectDatabase({ target, clock, statementTimeoutMs = 2_000 }: InspectDatabaseOptions): Promise<DatabaseFacts> {
  const client = await connectAsLogin(target, { connectTimeoutMs: 3_000, statementTimeoutMs, lockTimeoutMs: 500 });
  try {
    return await inspect(client, clock);
  } finally {
    await client.end().catch(() => {});
  }
}

async function inspect(client: pg.Client, clock: Clock): Promise<DatabaseFacts> {
  await client.query(`set application_name = 'holdfast diagnostics'`);
  await client.query('set default_transaction_read_only = on');
  const unanswered: { question: string; reason: string }[] = [];
  const rowsOf = async <Row extends pg.QueryResultRow>(question: string, sql: string): Promise<readonly Row[] | undefined> => {
    try {
      return (await client.query<Row>(sql)).rows;
    } catch (error) {
      const { code } = error as { code?: unknown };
      // Never the words of the database: they name hosts and objects.
      unanswered.push({
        question,
        reason: code === '57014' || code === '55P03' ? 'took too long' : code === '42501' ? 'not allowed' : 'failed',
      });
      return undefined;
    }
  };
  const rowOf = async <Row extends pg.QueryResultRow>(question: string, sql: string): Promise<Row | undefined> =>
    (await rowsOf<Row>(question, sql))?.[0];

  // The first is slower than the others: the session fills its caches.
  await client.query('select 1');
  const askedAt = clock.now();
  const askedAtMs = clock.monotonic();
  const { rows } = await client.query<{ now: string; version: string; recovery: boolean; connections: number }>(basics);
  const roundTripMs = clock.monotonic() - askedAtMs;
  const { now, version, recovery, connections } = rows[0]!;

  return {
    version,
    inRecovery: recovery,
    roundTripMs: round(roundTripMs),
    clockSkewMs: Math.round(Number(now) - (askedAt + roundTripMs / 2)),
    maxConnections: connections,
    usedConnections: (await rowOf<{ used: number }>('connections', used))?.used,
    lockWaits: await rowOf('locks', lockWaits),
    transactions: await rowOf('transactions', transactions),
    bloated: await rowsOf('bloat', bloated),
    scanned: await rowsOf('sequential scans', scanned),
    foreignKeysWithoutIndex: await rowsOf('foreign keys', foreignKeys),
    invalidIndexes: (await rowsOf<{ name: string }>('indexes', invalidIndexes))?.map(({ name }) => name),
    standbys: await rowsOf('replication', standbys),
    replicationSlots: await rowsOf('replication slots', slots),
    transactionAge: (await rowOf<{ age: number }>('transaction age', transactionAge))?.age,
    databaseBytes: (await rowOf<{ bytes: number }>('size', size))?.bytes,
    unanswered,
  };
}

const round = (ms: number): number => Math.round(ms * 1_000) / 1_000;

const basics = `
  select (extract(epoch from clock_timestamp()) * 1000)::text as now,
         split_part(current_setting('server_version'), ' ', 1) as version,
         pg_is_in_recovery() as recovery,
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           -- Since 16.
           - coalesce(current_setting('reserved_connections', true), '0')::int as connections`;

// Counted by database, since a login without privileges sees of others' sessions little more than that they are there.
const used = `select coalesce(sum(numbackends), 0)::int as used from pg_stat_database where datname is not null`;

const lockWaits = `
  select count(*)::int as waiting,
         coalesce(extract(epoch from max(clock_timestamp() - waitstart)) * 1000, 0)::float8 as "longestMs"
  from pg_locks join pg_stat_activity using (pid)
  where not granted and datname = current_database()`;

const transactions = `
  select count(*)::int as open,
         coalesce(extract(epoch from max(clock_timestamp() - xact_start)) * 1000, 0)::float8 as "longestMs",
         coalesce(extract(epoch from max(clock_timestamp() - state_change) filter (where state like 'idle in transaction%')) * 1000, 0)::float8
           as "longestIdleMs"
  from pg_stat_activity
  where xact_start is not null and backend_type = 'client backend' and pid <> pg_backend_pid() and datname = current_database()`;

// A fifth is what autovacuum waits for by default: beyond twice that it does not keep up.
const bloated = `
  select schemaname || '.' || relname as table, n_live_tup as live, n_dead_tup as dead
  from pg_stat_user_tables
  where n_dead_tup > 10000 and n_dead_tup > n_live_tup * 0.4
  order by n_dead_tup desc limit ${maxRows}`;

const scanned = `
  select schemaname || '.' || relname as table, n_live_tup as live, seq_scan as scans
  from pg_stat_user_tables
  where n_live_tup > 100000 and seq_scan > 1000 and seq_scan > coalesce(idx_scan, 0)
  order by seq_tup_read desc limit ${maxRows}`;

const foreignKeys = `
  select c.conrelid::regclass::text as table, c.conname::text as constraint
  from pg_constraint c
  join pg_class t on t.oid = c.conrelid
  join pg_namespace n on n.oid = t.relnamespace
  where c.contype = 'f' and n.nspname not in ('pg_catalog', 'information_schema') and t.reltuples > 10000
    and not exists (
      select 1 from pg_index i
      where i.indrelid = c.conrelid and i.indisvalid
        and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
  order by t.reltuples desc limit ${maxRows}`;

// One that is being built at this moment is not valid either, and is nobody's leftover.
const invalidIndexes = `
  select i.indexrelid::regclass::text as name from pg_index i
  where not i.indisvalid and not exists (select 1 from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)
  limit ${maxRows}`;

const standbys = `
  select coalesce(nullif(application_name, ''), 'standby') as name,
         (extract(epoch from replay_lag) * 1000)::float8 as "lagMs",
         case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 end as "lagBytes"
  from pg_stat_replication limit ${maxRows}`;

const slots = `
  select slot_name::text as name, active,
         coalesce(case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end, 0)::float8 as "retainedBytes"
  from pg_replication_slots limit ${maxRows}`;

const transactionAge = `select max(age(datfrozenxid))::int as age from pg_database`;

const size = `select pg_database_size(current_database())::float8 as bytes`;
