import { isHoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { databaseQueryCompleted, querySlow } from './announcements.ts';
import { mapDatabaseError } from './errors.ts';
import type { DatabaseRole } from './roles.ts';
import { statementKind } from './statement-kind.ts';

export interface ObservedStatement {
  readonly role: DatabaseRole;
  /** With `$1` in place of values. */
  readonly statement: string;
  readonly clock: Clock;
  /** From which time on it is announced as slow; 500 by default. */
  readonly slowQueryMs?: number | undefined;
}

export const defaultSlowQueryMs = 500;

/** Runs a statement and announces how it went; failures come out as `mapDatabaseError` makes them. Nothing is measured when nobody listens. */
export async function observeQuery<Result>(about: ObservedStatement, run: () => Promise<Result>): Promise<Result> {
  const { clock } = about;
  const heard = databaseQueryCompleted.hasSubscribers || querySlow.hasSubscribers;
  const startedAt = heard ? clock.monotonic() : 0;
  try {
    const result = await run();
    if (heard) announce(about, clock.monotonic() - startedAt, undefined);
    return result;
  } catch (error) {
    const mapped = mapDatabaseError(error);
    if (heard) announce(about, clock.monotonic() - startedAt, errorCodeOf(mapped));
    throw mapped;
  }
}

function announce(
  { role, statement, slowQueryMs = defaultSlowQueryMs }: ObservedStatement,
  durationMs: number,
  errorCode: string | undefined,
): void {
  if (databaseQueryCompleted.hasSubscribers) {
    const { operation, table } = statementKind(statement);
    const outcome = errorCode === undefined ? 'completed' : 'failed';
    databaseQueryCompleted.publish({ role, operation, table, statement, durationMs, outcome, errorCode });
  }
  if (durationMs >= slowQueryMs) querySlow.publish({ role, durationMs, statement });
}

function errorCodeOf(error: unknown): string {
  if (isHoldfastError(error)) return error.code;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
