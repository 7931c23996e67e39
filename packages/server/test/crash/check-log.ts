import { createHash } from 'node:crypto';
import { openCheckpoint, TreeHasher, type Sha256 } from '@holdfast/kit/audit/verify';
import type { StoredLog, StoredLogEvent } from './evidence.ts';
import type { Violation, ViolationKind } from './checker.ts';

const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** Members of an event that these tests look at. */
interface EventBody {
  readonly id: string;
  readonly type: string;
  readonly outcome: string;
  readonly organization_id: string | null;
  readonly number?: number;
  readonly details: Readonly<Record<string, unknown>>;
}

/** By the outcome of the row. */
const outcomes: Readonly<Record<string, string>> = {
  completed: 'success',
  failed: 'failure',
  aborted: 'failure',
  refused: 'denied',
  interrupted: 'interrupted',
};

/**
 * Verifies the log with nothing but the public key and the verifier that strangers use, and compares its events with the rows of the ledger:
 * each call has told of its end once, and no event is of a call that the ledger does not know.
 */
export async function checkLog(log: StoredLog): Promise<Violation[]> {
  const violations: Violation[] = [];
  const report = (kind: ViolationKind, marker: string, detail: string) => void violations.push({ kind, marker, detail });
  await checkTree(log, report);
  checkNumbers(log.leaves, report);
  if (log.rejected > 0) report('log does not verify', 'rejected', `${log.rejected} events were no events`);

  const events = new Map<string, EventBody[]>();
  for (const { body, id } of [...log.leaves, ...log.waiting]) {
    const event = JSON.parse(body) as EventBody;
    if (event.id !== id) report('event differs', id, `its body has the id ${event.id}`);
    if (event.type !== 'model.called' || event.details['outcome'] === 'refused') continue;
    const call = (event.details['supersedes'] as string | undefined) ?? event.id;
    events.set(call, [...(events.get(call) ?? []), event]);
  }
  const rows = new Map(log.rows.map((row) => [row.id, row]));
  for (const [call, told] of events) {
    if (!rows.has(call))
      report('event of nobody', call, `${told.map(({ outcome }) => outcome).join(', ')}: the ledger does not know the call`);
  }
  for (const row of log.rows) {
    // An event that was committed twice is in the inbox twice; the log takes one.
    const told = [...new Map((events.get(row.id) ?? []).map((event) => [event.id, event])).values()];
    const last = told.find(({ details }) => details['supersedes'] !== undefined) ?? told[0];
    if (last === undefined) {
      report('event missing', row.id, `of a call that is stored as ${row.outcome}`);
      continue;
    }
    const before = told.filter((event) => event !== last);
    if (before.length > 1 || (before.length === 1 && (last.details['supersedes'] === undefined || before[0]!.outcome !== 'interrupted')))
      report('event doubled', row.id, told.map(({ outcome }) => outcome).join(', '));
    const { details } = last;
    const differs =
      last.outcome !== outcomes[row.outcome] ||
      details['outcome'] !== row.outcome ||
      (row.outcome === 'completed' &&
        (details['prompt_tokens'] !== row.promptTokens ||
          details['completion_tokens'] !== row.completionTokens ||
          (details['cost_nano_usd'] ?? null) !== row.costNanoUsd));
    if (differs) report('event differs', row.id, `${JSON.stringify(last)}; the row: ${JSON.stringify(row)}`);
  }
  return violations;
}

type Report = (kind: ViolationKind, marker: string, detail: string) => void;

async function checkTree({ leaves, head, checkpoints, verifierKeys }: StoredLog, report: Report): Promise<void> {
  const fail = (detail: string) => report('log does not verify', 'log', detail);
  if (leaves.length !== head.size || leaves.some(({ index }, at) => index !== at))
    return fail(`${leaves.length} leaves, and the head says ${head.size}`);
  const bySize = new Map(checkpoints.map((checkpoint) => [checkpoint.size, checkpoint.note]));
  const hasher = new TreeHasher(sha256);
  for (const { body } of leaves) {
    await hasher.append(Buffer.from(body));
    const note = bySize.get(hasher.size);
    if (note === undefined) continue;
    bySize.delete(hasher.size);
    try {
      const opened = await openCheckpoint(note, verifierKeys);
      if (opened.size !== hasher.size || !Buffer.from(opened.root).equals(await hasher.root()))
        fail(`the checkpoint of ${opened.size} leaves is of another log`);
    } catch (error) {
      fail(`the checkpoint of ${hasher.size} leaves: ${String(error)}`);
    }
  }
  if (!Buffer.from(await hasher.root()).equals(Buffer.from(head.root, 'hex')))
    fail(`the root over ${leaves.length} leaves is not that of the head`);
  bySize.delete(0);
  if (bySize.size > 0) fail(`checkpoints of sizes that the log does not have: ${[...bySize.keys()].join(', ')}`);
}

/** Of each organization, and of the instance: from 1 on without a gap, in the order of the log. */
function checkNumbers(leaves: readonly StoredLogEvent[], report: Report): void {
  const last = new Map<string | null, number>();
  const ids = new Set<string>();
  for (const { id, body } of leaves) {
    if (ids.has(id)) report('event doubled', id, 'it is in the log twice');
    ids.add(id);
    const { organization_id: series, number } = JSON.parse(body) as EventBody;
    if (number !== (last.get(series) ?? 0) + 1) report('gap in the numbers', id, `${number} after ${last.get(series) ?? 0}`);
    last.set(series, number ?? 0);
  }
}
