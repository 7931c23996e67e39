import type pg from 'pg';
import type { Clock } from '@holdfast/kit/time';
import { withinDeadline } from '../../../platform/change-feed/index.ts';
import { mapDatabaseError, observeQuery, type Database } from '../../../platform/postgres/index.ts';
import type { RunStatement } from './run-statement.ts';
import * as statements from './statements.ts';

export interface ConnectionOptions {
  readonly database: Pick<Database, 'pool'>;
  readonly clock: Clock;
}

/** How long a statement may take before the connection is given up, in milliseconds. */
const answerTimeoutMs = 20_000;

/** A connection of the role `sequencer`, for one after the other. */
export interface LogConnection {
  readonly run: RunStatement;
  /** Of `holdfast.audit_leaf_1`. */
  readonly leafOid: number;
  /** Ends it, and with it whatever it holds. */
  release(): void;
}

export async function openConnection({ database, clock }: ConnectionOptions): Promise<LogConnection> {
  const client = await database
    .pool('sequencer')
    .connect()
    .catch((error: unknown) => {
      throw mapDatabaseError(error);
    });
  // What happens between two statements shows at the next one.
  client.on('error', () => {});
  const run: RunStatement = async <Row extends pg.QueryResultRow>(
    statement: string | { readonly name: string; readonly text: string },
    values: readonly unknown[] = [],
  ) => {
    const query = typeof statement === 'string' ? { text: statement } : statement;
    const { rows } = await observeQuery({ role: 'sequencer', statement: query.text, clock }, () =>
      withinDeadline(clock, answerTimeoutMs, 'a statement of the audit log', client.query<Row>({ ...query, values: [...values] })),
    );
    return rows;
  };
  try {
    await run(statements.prepareSession);
    const [row] = await run<{ oid: number }>(`select '${statements.leafType}'::regtype::oid as oid`);
    return { run, leafOid: row!.oid, release: () => client.release(true) };
  } catch (error) {
    client.release(true);
    throw error;
  }
}
