import type pg from 'pg';
import { sleep, type Clock } from '@holdfast/kit/time';

/** Arbitrary; advisory locks are numbers, and this one is ours in every database. ("holdfast" as bytes.) */
const lockId = '7525422327837320052';
const retryMs = 50;

/**
 * Runs `work` while no other instance migrates this database; waits for it as long as it takes. The lock belongs to the connection,
 * so that it ends with a process that crashes.
 */
export async function withMigrationLock<T>(client: pg.Client, clock: Clock, work: () => Promise<T>): Promise<T> {
  // Asked for again and again instead of waited for: a statement that waits holds a snapshot, CREATE INDEX CONCURRENTLY of the
  // holder waits for all older snapshots to end, and PostgreSQL would break that circle by failing one of the two.
  while (!(await tryLock(client))) await sleep(clock, retryMs);
  try {
    return await work();
  } finally {
    await client.query('select pg_advisory_unlock($1)', [lockId]).catch(() => {});
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [lockId]);
  return rows[0]!.locked;
}
