import { describe, expect, test } from 'vitest';
import { budgetKinds, check, doubledKinds, logKinds, lostKinds, wrongKinds, type Finding, type ViolationKind } from './checker.ts';
import type { ClientLine, Evidence, StoredCall, UpstreamArrival, UpstreamEnd } from './evidence.ts';

const options = { prices: { 'gpt-4o-mini': { prompt: 150, completion: 600 } }, overtakenAfterMs: 50 };
const crashAtMs = 10_000;

const client: ClientLine = {
  marker: 'x1.0.1',
  round: 0,
  dialect: 'openai',
  stream: true,
  model: 'fast',
  status: 200,
  whole: true,
  bytes: 900,
  words: 4,
  inOrder: true,
  promptTokens: 10,
  completionTokens: 4,
  errorEvent: false,
  end: 'ended',
  sentAtMs: 9_000,
  endedAtMs: 9_100,
};
const arrival: UpstreamArrival = { marker: client.marker, atMs: 9_010, model: 'gpt-4o-mini', promptTokens: 10, completionTokens: 4 };
const end: UpstreamEnd = { marker: client.marker, status: 200, whole: true };
const row: StoredCall = {
  id: '01a1f87c-fbac-766e-a61b-0738b9952818',
  marker: client.marker,
  outcome: 'completed',
  dialect: 'openai',
  streamed: true,
  modelAsked: 'fast',
  modelServed: 'gpt-4o-mini',
  promptTokens: 10,
  completionTokens: 4,
  usageSource: 'provider',
  costNanoUsd: 3_900,
};
const interrupted: StoredCall = {
  ...row,
  outcome: 'interrupted',
  modelServed: null,
  promptTokens: null,
  completionTokens: null,
  usageSource: 'none',
  costNanoUsd: null,
};
/** A call that the crash met before its client had anything. */
const met: ClientLine = {
  ...client,
  status: null,
  whole: false,
  bytes: 0,
  words: 0,
  promptTokens: null,
  completionTokens: null,
  end: 'broken',
  endedAtMs: crashAtMs + 1,
};
const partly: ClientLine = { ...met, status: 200, bytes: 300, words: 2 };

function judge(changes: Partial<Evidence>): Finding {
  const crashes = [{ round: 0, atMs: crashAtMs }];
  return check({ clients: [client], arrivals: [arrival], served: [end], rows: [row], intents: [], crashes, ...changes }, options);
}

function kindsOf(changes: Partial<Evidence>): ViolationKind[] {
  return judge(changes).violations.map((violation) => violation.kind);
}

describe('nothing is found', () => {
  test.each<[string, Partial<Evidence>]>([
    ['when client, upstream and ledger agree', {}],
    ['when a finished call was committed and its client never had the end', { clients: [partly] }],
    [
      'when a call that was seen in part is stored as interrupted',
      { clients: [partly], served: [{ ...end, whole: false }], rows: [interrupted] },
    ],
    [
      'when a call too young for an intent is gone',
      { clients: [met], arrivals: [{ ...arrival, atMs: crashAtMs - 400 }], served: [], rows: [] },
    ],
    [
      'when a call is gone that is not much older than the last one answered, however long ago that was',
      {
        clients: [{ ...met, marker: 'x1.0.2' }, client],
        arrivals: [{ ...arrival, marker: 'x1.0.2', atMs: client.sentAtMs - 49 }, arrival],
      },
    ],
    ['when a call that never reached the upstream is gone', { clients: [met], arrivals: [], served: [], rows: [] }],
    [
      'when a call came after its database had died',
      { clients: [met], arrivals: [{ ...arrival, atMs: crashAtMs + 5 }], served: [], rows: [] },
    ],
    [
      'when a call was refused by the upstream and cost nothing',
      {
        clients: [{ ...met, status: 429, end: 'ended', endedAtMs: 9_100 }],
        served: [{ ...end, status: 429 }],
        rows: [{ ...row, outcome: 'failed', usageSource: 'none', promptTokens: 0, completionTokens: 0, costNanoUsd: 0 }],
      },
    ],
    [
      'when a failed call was estimated and priced by the estimate',
      {
        clients: [partly],
        rows: [{ ...row, outcome: 'failed', usageSource: 'estimated', promptTokens: 7, completionTokens: 2, costNanoUsd: 2_250 }],
      },
    ],
    [
      'when an answer in part named other tokens than its end would have',
      { clients: [{ ...partly, promptTokens: 0, completionTokens: 0 }] },
    ],
    ['when a stream told that it failed', { clients: [{ ...partly, errorEvent: true, end: 'ended' }], rows: [interrupted] }],
  ])('%s', (_, changes) => {
    expect(judge(changes).violations).toEqual([]);
  });
});

const cases: readonly [ViolationKind, string, Partial<Evidence>][] = [
  ['whole without a row', 'a client has it whole, the ledger does not know it', { rows: [] }],
  ['whole without a row', 'also when only the end mark of its stream is missing', { clients: [{ ...client, end: 'broken' }], rows: [] }],
  ['whole, but not stored as completed', 'stored as interrupted', { rows: [interrupted] }],
  ['seen, but without a row', 'one byte is enough', { clients: [{ ...partly, bytes: 1, words: 0 }], rows: [] }],
  [
    'overtaken, but without a row',
    'by a call that was sent after it had reached the upstream',
    { clients: [{ ...met, marker: 'x1.0.2' }, client], arrivals: [{ ...arrival, marker: 'x1.0.2', atMs: client.sentAtMs - 51 }, arrival] },
  ],
  [
    'answered before the crash, but without a row',
    'an error is an answer',
    {
      clients: [{ ...met, status: 502, end: 'ended', endedAtMs: crashAtMs - 1 }],
      arrivals: [{ ...arrival, atMs: crashAtMs - 20 }],
      rows: [],
    },
  ],
  ['two rows', 'of one call', { rows: [row, { ...row, id: '01a1f87c-fbac-766e-a61b-0738b9952819' }] }],
  [
    'one id twice',
    'of two calls',
    {
      clients: [client, { ...client, marker: 'x1.0.2' }],
      arrivals: [arrival, { ...arrival, marker: 'x1.0.2' }],
      served: [end, { ...end, marker: 'x1.0.2' }],
      rows: [row, { ...row, marker: 'x1.0.2' }],
    },
  ],
  ['intent left', 'after recovery', { intents: [{ id: row.id, marker: client.marker }] }],
  [
    'row of nobody',
    'with a marker that nobody sent',
    { rows: [row, { ...row, id: '01a1f87c-fbac-766e-a61b-0738b9952819', marker: 'x1.0.9' }] },
  ],
  ['row of nobody', 'without a marker', { rows: [row, { ...row, id: '01a1f87c-fbac-766e-a61b-0738b9952819', marker: null }] }],
  ['completed out of nothing', 'the upstream broke off', { clients: [partly], served: [{ ...end, whole: false }] }],
  ['completed out of nothing', 'the upstream answered with an error', { clients: [met], served: [{ ...end, status: 500 }] }],
  ['wrong tokens', 'of the completion', { rows: [{ ...row, completionTokens: 5, costNanoUsd: 4_500 }] }],
  ['wrong tokens', 'of the prompt', { rows: [{ ...row, promptTokens: 11, costNanoUsd: 4_050 }] }],
  ['wrong tokens', 'estimated although the provider said them', { rows: [{ ...row, usageSource: 'estimated' }] }],
  ['wrong tokens', 'the client was told others', { clients: [{ ...client, completionTokens: 5 }] }],
  ['wrong cost', 'of a completed call', { rows: [{ ...row, costNanoUsd: 3_901 }] }],
  ['wrong cost', 'unknown although there is a price', { rows: [{ ...row, costNanoUsd: null }] }],
  ['wrong cost', 'nothing, where it is unknown', { clients: [partly], rows: [{ ...interrupted, costNanoUsd: 0 }] }],
  ['wrong cost', 'of a failed call', { clients: [partly], rows: [{ ...row, outcome: 'failed', costNanoUsd: 0 }] }],
  ['wrong description', 'another dialect', { rows: [{ ...row, dialect: 'anthropic' }] }],
  ['wrong description', 'another model', { rows: [{ ...row, modelAsked: 'smart' }] }],
  ['wrong description', 'plain for streamed', { rows: [{ ...row, streamed: false }] }],
  ['no UUID of version 7', 'but of version 4', { rows: [{ ...row, id: '01a1f87c-fbac-466e-a61b-0738b9952818' }] }],
  ['answer with a gap', 'whole, a word short', { clients: [{ ...client, words: 3, completionTokens: null }] }],
  ['answer with a gap', 'in part, out of order', { clients: [{ ...partly, inOrder: false }] }],
  ['cut shown as success', 'ended in good order without a finish', { clients: [{ ...partly, end: 'ended' }] }],
  ['stuck', 'a reader that waits', { clients: [{ ...partly, end: 'hung' }] }],
];

describe('a violation is found:', () => {
  test.each(cases)('%s: %s', (kind, _, changes) => {
    expect(kindsOf(changes)).toContain(kind);
  });

  test('there is a case for each kind', () => {
    const ofTheLog: readonly string[] = [...logKinds, ...budgetKinds];
    const kinds = [...lostKinds, ...doubledKinds, ...wrongKinds].filter((kind) => !ofTheLog.includes(kind));
    expect(new Set(cases.map(([kind]) => kind))).toEqual(new Set(kinds));
  });

  test('the marker of the call is named, and the counts say which sort it is', () => {
    const lost = judge({ rows: [] });
    expect(lost.violations[0]!.marker).toBe(client.marker);
    expect(lost.counts).toMatchObject({ calls: 1, whole: 1, lost: 1, doubled: 0, wrong: 0 });
    expect(judge({ rows: [row, { ...row, id: '01a1f87c-fbac-766e-a61b-0738b9952819' }] }).counts).toMatchObject({
      lost: 0,
      doubled: 1,
      wrong: 0,
    });
    expect(judge({ intents: [{ id: row.id, marker: null }] }).counts).toMatchObject({ lost: 0, doubled: 0, wrong: 1 });
  });
});

test('calls are counted by what their clients have of them', () => {
  const clients = [client, { ...partly, marker: 'x1.0.2' }, { ...met, marker: 'x1.0.3' }];
  const arrivals = [arrival, { ...arrival, marker: 'x1.0.2' }, { ...arrival, marker: 'x1.0.3', atMs: crashAtMs - 7 }];
  const { counts, violations } = judge({
    clients,
    arrivals,
    rows: [row, { ...row, id: '01a1f87c-fbac-766e-a61b-0738b9952819', marker: 'x1.0.2' }],
    served: arrivals.map(({ marker }) => ({ ...end, marker })),
  });
  expect(violations).toEqual([]);
  expect(counts).toMatchObject({
    calls: 3,
    whole: 1,
    partial: 1,
    without: 1,
    rows: 2,
    rowsByOutcome: { completed: 2 },
    storedUnreceived: 1,
    unrecorded: 1,
    oldestUnrecordedMs: 7,
  });
});
