import pg from 'pg';
import type { Clock } from '@holdfast/kit/time';

const connectTimeoutMs = 3_000;
const endTimeoutMs = 5_000;

/** Ends every session but its own. False when the server does not answer or a session does not end: then it is of no use. */
export async function endSessions(socketDir: string, port: number, clock: Clock): Promise<boolean> {
  const client = new pg.Client({
    host: socketDir,
    port,
    user: 'postgres',
    database: 'postgres',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: endTimeoutMs,
  });
  client.on('error', () => {}); // a server that ends meanwhile; the query tells
  try {
    await client.connect();
    const others = "from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
    const end = clock.monotonic() + endTimeoutMs;
    for (;;) {
      const { rows } = await client.query<{ left: number }>(`select count(pg_terminate_backend(pid))::int as left ${others}`);
      if (rows[0]?.left === 0) return true;
      if (clock.monotonic() >= end) return false;
      await client.query('select pg_sleep(0.01)');
    }
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
