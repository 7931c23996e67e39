import { createHash, generateKeyPairSync } from 'node:crypto';
import { createCheckpointSigner, signCheckpoint, verifierKey } from '@holdfast/kit/audit';
import { TreeHasher } from '@holdfast/kit/audit/verify';
import { describe, expect, test } from 'vitest';
import { checkLog } from './check-log.ts';
import { logKinds, type ViolationKind } from './checker.ts';
import type { StoredLog } from './evidence.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const signer = createCheckpointSigner('crash.test/log', privateKey);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

type Row = StoredLog['rows'][number];
const rowOf = (id: string, outcome: string): Row => ({ id, outcome, promptTokens: 9, completionTokens: 4, costNanoUsd: 3_750 });
const whole = rowOf('01a1f87c-0000-7000-8000-000000000001', 'completed');
const cut = rowOf('01a1f87c-0000-7000-8000-000000000002', 'interrupted');
const late = rowOf('01a1f87c-0000-7000-8000-000000000003', 'completed');

interface Told {
  readonly row: Row;
  readonly id?: string;
  readonly says?: string;
  readonly supersedes?: string;
  readonly series?: string | null;
  readonly details?: object;
}

function bodyOf({ row, id = row.id, says = row.outcome, supersedes, series = 'o', details }: Told): Record<string, unknown> {
  const outcome = { completed: 'success', interrupted: 'interrupted', failed: 'failure' }[says];
  const known = says === 'completed' ? { prompt_tokens: 9, completion_tokens: 4, cost_nano_usd: 3_750 } : {};
  const told = { outcome: says, ...known, ...(supersedes !== undefined && { supersedes }), ...details };
  return { id, type: 'model.called', organization_id: series, outcome, details: told };
}

/** A log as the sequencer leaves it, signed after the first and after the last event. */
async function logOf(rows: readonly Row[], told: readonly Told[], waiting: readonly Told[] = []): Promise<StoredLog> {
  const hasher = new TreeHasher(sha256);
  const checkpoints: { size: number; note: string }[] = [];
  const numbers = new Map<unknown, number>();
  const leaves: { index: number; id: string; body: string }[] = [];
  for (const each of told) {
    const event = bodyOf(each);
    const series = event['organization_id'];
    numbers.set(series, (numbers.get(series) ?? 0) + 1);
    const body = JSON.stringify({ ...event, number: numbers.get(series) });
    leaves.push({ index: leaves.length, id: event['id'] as string, body });
    await hasher.append(Buffer.from(body));
    if (leaves.length === 1 || leaves.length === told.length) {
      const head = { origin: signer.name, size: hasher.size, root: Buffer.from(await hasher.root()) };
      checkpoints.push({ size: hasher.size, note: signCheckpoint(head, [signer], 0) });
    }
  }
  return {
    leaves,
    waiting: waiting.map((each) => ({ id: bodyOf(each)['id'] as string, body: JSON.stringify(bodyOf(each)) })),
    head: { size: leaves.length, root: Buffer.from(await hasher.root()).toString('hex') },
    checkpoints,
    verifierKeys: [verifierKey(signer.name, privateKey)],
    rejected: 0,
    rows,
  };
}

const kindsOf = async (log: StoredLog): Promise<ViolationKind[]> => (await checkLog(log)).map(({ kind }) => kind);
const good = () =>
  logOf(
    [whole, cut, late],
    [
      { row: whole },
      { row: cut, series: 'p' },
      { row: late, says: 'interrupted' },
      { row: late, id: '01a1f87c-0000-7000-8000-00000000000f', supersedes: late.id },
    ],
  );

test('nothing is found where each call has told of its end once, also where one came to light later, or waits for its place', async () => {
  expect(await kindsOf(await good())).toEqual([]);
  expect(await kindsOf(await logOf([whole, cut], [{ row: whole }], [{ row: cut }, { row: cut }]))).toEqual([]);
  expect(await kindsOf(await logOf([], []))).toEqual([]);
});

const changed = async (change: (log: StoredLog) => Partial<StoredLog>): Promise<StoredLog> => {
  const log = await good();
  return { ...log, ...change(log) };
};
const cases: readonly (readonly [ViolationKind, string, () => Promise<StoredLog>])[] = [
  ['event missing', 'of a call that the ledger knows', () => logOf([whole, cut], [{ row: whole }])],
  ['event of nobody', 'the ledger does not know the call', () => logOf([], [{ row: whole }])],
  ['event doubled', 'one id is in the log twice', () => logOf([whole], [{ row: whole }, { row: whole }])],
  [
    'event doubled',
    'a second end of a call that had one',
    () => logOf([whole], [{ row: whole }, { row: whole, id: '01a1f87c-0000-7000-8000-00000000000f', supersedes: whole.id }]),
  ],
  ['event differs', 'another outcome than the row', () => logOf([whole], [{ row: whole, says: 'failed' }])],
  ['event differs', 'another cost than the row', () => logOf([whole], [{ row: whole, details: { cost_nano_usd: 1 } }])],
  [
    'gap in the numbers',
    'of one organization',
    () =>
      changed(({ leaves }) => ({
        leaves: leaves.map((leaf, at) => (at === 2 ? { ...leaf, body: leaf.body.replace('"number":2', '"number":3') } : leaf)),
      })),
  ],
  ['log does not verify', 'its head is of another log', () => changed(({ head }) => ({ head: { ...head, root: '00'.repeat(32) } }))],
  ['log does not verify', 'its end was cut off', () => changed(({ leaves }) => ({ leaves: leaves.slice(0, -1) }))],
  [
    'log does not verify',
    'its end was cut off, and the head set back',
    () => changed(({ leaves, head }) => ({ leaves: leaves.slice(0, 1), head: { ...head, size: 1 } })),
  ],
  ['log does not verify', 'a checkpoint is signed by nobody that is known', () => changed(() => ({ verifierKeys: [] }))],
  ['log does not verify', 'something in the inbox was no event', () => changed(() => ({ rejected: 1 }))],
];

describe('a violation is found:', () => {
  test.each(cases)('%s: %s', async (kind, _, log) => {
    expect(await kindsOf(await log())).toContain(kind);
  });

  test('there is a case for each kind', () => {
    expect(new Set(cases.map(([kind]) => kind))).toEqual(new Set(logKinds));
  });
});
