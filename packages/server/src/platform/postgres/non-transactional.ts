import type pg from 'pg';

export interface NonTransactionalMigration {
  /** Statements, each run for itself, in order. */
  readonly up: readonly string[];
  /**
   * Takes back whatever `up` may have left half done, and does nothing otherwise (`drop index concurrently if exists …`: a failed
   * CREATE INDEX CONCURRENTLY leaves an invalid index). Run after a failure, and before each try, since a crash runs nothing.
   */
  readonly undo: readonly string[];
}

/** Applies those that are not in `done`, in the order of their names; the caller holds the lock. Throws what failed, undone. */
export async function runNonTransactional(
  client: pg.Client,
  all: Readonly<Record<string, NonTransactionalMigration>>,
  done: ReadonlySet<string>,
): Promise<string[]> {
  const applied: string[] = [];
  for (const name of Object.keys(all).sort()) {
    if (done.has(name)) continue;
    const { up, undo } = all[name]!;
    await runEach(client, undo);
    try {
      await runEach(client, up);
      await client.query('insert into holdfast.non_transactional_migrations (name) values ($1)', [name]);
    } catch (error) {
      // What failed is the news; a connection that is gone cannot undo, and the next try begins with it.
      await runEach(client, undo).catch(() => {});
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    applied.push(name);
  }
  return applied;
}

async function runEach(client: pg.Client, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await client.query(statement);
}
