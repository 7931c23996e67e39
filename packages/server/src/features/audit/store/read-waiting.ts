import type { WaitingEvent } from '../sequencer/index.ts';
import type { RunStatement } from './run-statement.ts';
import * as statements from './statements.ts';

/** The events that wait longest, with what the log has of their ids and series. */
export async function readWaiting(run: RunStatement, limit: number, without: readonly number[]): Promise<WaitingEvent[]> {
  const rows = await run<WaitingRow>(statements.readWaiting, [limit, [...without]]);
  return rows.map(waitingEvent);
}

interface WaitingRow {
  readonly seq: number;
  readonly id: string;
  readonly organization_id: string | null;
  readonly body: string | null;
  readonly last_number: number | null;
  readonly logged_number: number | null;
  readonly logged_leaf: string | null;
}

function waitingEvent(row: WaitingRow): WaitingEvent {
  return {
    seq: row.seq,
    id: row.id,
    organizationId: row.organization_id,
    body: row.body ?? undefined,
    lastNumber: row.last_number ?? 0,
    logged: row.logged_leaf === null ? undefined : { number: row.logged_number!, leaf: row.logged_leaf },
  };
}
