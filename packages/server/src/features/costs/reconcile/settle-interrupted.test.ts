import type { Usage } from '@holdfast/kit/llm';
import { expect, test } from 'vitest';
import { settleInterrupted, type InterruptedCall, type Span, type SpanModel } from './settle-interrupted.ts';

const hourMs = 3_600_000;
const nowMs = 100 * hourMs;
const tokens = (promptTokens: number, completionTokens: number): Usage => ({
  promptTokens,
  completionTokens,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  source: 'provider',
});
const model = (more: Partial<SpanModel> = {}): SpanModel => ({
  model: 'gpt-4o-mini-2024-07-18',
  exported: tokens(130, 65),
  exportedRequests: 3,
  recorded: tokens(100, 50),
  recordedCalls: 2,
  estimatedCalls: 0,
  ...more,
});
const span = (models: readonly SpanModel[] = [model()]): Span => ({ fromMs: 0, toMs: hourMs, models });
const call = (more: Partial<InterruptedCall> = {}): InterruptedCall => ({ id: 'a', startedAtMs: 60_000, models: ['gpt-4o-mini'], ...more });

test('what the provider charged beyond the ledger is what the one interrupted call used', () => {
  const { settled } = settleInterrupted([span()], [call()], nowMs);
  expect(settled).toMatchObject([{ callId: 'a', model: 'gpt-4o-mini-2024-07-18', usage: { promptTokens: 30, completionTokens: 15 } }]);
});

test('where the sums agree, none of the interrupted calls used anything', () => {
  const same = model({ exported: tokens(100, 50), exportedRequests: 2 });
  const { settled } = settleInterrupted([span([same])], [call(), call({ id: 'b' })], nowMs);
  expect(settled.map(({ callId, usage }) => [callId, usage])).toEqual([
    ['a', undefined],
    ['b', undefined],
  ]);
  expect(settleInterrupted([span([])], [call()], nowMs).settled).toHaveLength(1);
});

test('a provider that counts no requests is believed by its tokens', () => {
  expect(settleInterrupted([span([model({ exportedRequests: undefined })])], [call()], nowMs).settled).toHaveLength(1);
});

test.each<[string, readonly Span[], readonly InterruptedCall[], RegExp]>([
  ['its time is not in the export', [span()], [call({ startedAtMs: 2 * hourMs })], /does not cover/],
  ['the export is too fresh', [{ ...span(), fromMs: nowMs - hourMs, toMs: nowMs }], [call({ startedAtMs: nowMs - hourMs })], /so recent/],
  ['it may be counted in the next span', [span()], [call({ startedAtMs: hourMs - 1_000 })], /near the end/],
  ['others are only estimated', [span([model({ estimatedCalls: 1 })])], [call()], /only estimated/],
  ['the ledger has more', [span([model({ recorded: tokens(200, 50) })])], [call()], /ledger has more/],
  ['two may share what is left', [span()], [call(), call({ id: 'b' })], /another interrupted call/],
  ['more requests are left over than one', [span([model({ exportedRequests: 5 })])], [call()], /3 requests are left/],
  [
    'it may have asked for either of two that were charged',
    [span([model(), model({ model: 'claude-opus-5', exportedRequests: undefined })])],
    [call({ models: ['gpt-4o-mini', 'claude-opus-5'] })],
    /several models/,
  ],
])('nothing is guessed when %s', (_, spans, calls, why) => {
  const { settled, unsettled } = settleInterrupted(spans, calls, nowMs);
  expect(settled).toEqual([]);
  expect(unsettled[0]!.why).toMatch(why);
});

test('a model that the call cannot have asked for is none of its business', () => {
  const other = model({ model: 'gpt-4.1', exported: tokens(900, 900), exportedRequests: 9 });
  expect(settleInterrupted([span([model(), other])], [call()], nowMs).settled).toMatchObject([{ usage: { promptTokens: 30 } }]);
});
