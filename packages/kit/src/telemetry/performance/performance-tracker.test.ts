import { describe, expect, test } from 'vitest';
import { operationSlow, type HttpRequestFinished, type OperationSlow } from '../../events/index.ts';
import type { CallFinished } from '../../llm/spec/index.ts';
import { createFakeClock, createSeededRandom } from '../../testing/index.ts';
import { MetricsWindow } from './metrics-window.ts';
import { createPerformanceTracker } from './performance-tracker.ts';
import type { PerformanceTrackerOptions } from './options.ts';
import { summarizeGauges, summarizeKind } from './summary.ts';

const request: HttpRequestFinished = {
  requestId: 'r1',
  method: 'GET',
  route: '/api/keys/:id',
  path: '/api/keys/1',
  status: 200,
  latencyMs: 4,
  requestBytes: 100,
  responseBytes: 900,
  client: 'ip_0123456789abcdef',
  organizationId: 'o1',
  keyId: 'k1',
  userId: 'u1',
  errorCode: undefined,
  errorCategory: undefined,
  notes: undefined,
};

const call: CallFinished = {
  callId: 'c1',
  requestId: 'r1',
  organizationId: 'o1',
  keyId: 'k1',
  operation: 'chat',
  dialect: 'openai',
  streamed: true,
  modelAsked: 'fast',
  modelServed: 'fast-1',
  provider: 'primary',
  outcome: 'completed',
  errorCode: undefined,
  errorCategory: undefined,
  status: 200,
  usage: { promptTokens: 10, completionTokens: 5, cachedTokens: 2, cacheWriteTokens: 0, reasoningTokens: 0, source: 'provider' },
  costNanoUsd: 700,
  latencyMs: 800,
  firstTokenMs: 90,
  overheadMs: 0.4,
  attempts: 1,
};

function scene(options: Partial<PerformanceTrackerOptions> = {}) {
  const clock = createFakeClock();
  let id = 0;
  const tracker = createPerformanceTracker({
    clock,
    createId: () => `source-${++id}`,
    isKnownModel: (name) => name === 'fast',
    ...options,
  });
  return { clock, tracker };
}

function slowOnes(): { readonly seen: OperationSlow[]; stop(): void } {
  const seen: OperationSlow[] = [];
  return { seen, stop: operationSlow.subscribe((event) => void seen.push(event)) };
}

/** What windows are merged by: what the records of all minutes say together. */
function mergeAll(records: readonly { readonly record: Parameters<MetricsWindow['merge']>[0] }[]): MetricsWindow {
  const merged = new MetricsWindow(1_000);
  for (const { record } of records) merged.merge(JSON.parse(JSON.stringify(record)));
  return merged;
}

describe('the performance tracker', () => {
  test('measures what it is told to do, whether that returns, resolves, throws or rejects', async () => {
    const { clock, tracker } = scene();
    const later = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));

    expect(tracker.monitorPerformance('sum', () => (clock.advance(3), 42))).toBe(42);
    expect(() =>
      tracker.monitorPerformance('sum', () => {
        clock.advance(5);
        throw new Error('no');
      }),
    ).toThrow('no');
    const resolved = tracker.monitorPerformance('load', async () => (await later(20), 'here'));
    const rejected = tracker.monitorPerformance('load', async () => {
      await later(40);
      throw new Error('away');
    });
    rejected.catch(() => {});
    await clock.advanceAsync(40);
    await expect(resolved).resolves.toBe('here');
    await expect(rejected).rejects.toThrow('away');

    const { total, series } = summarizeKind(tracker.window(1), 'operation');
    expect(total).toMatchObject({ count: 4, failures: 2, minMs: 3, maxMs: 40 });
    expect(series.map(({ name, count, failures }) => [name, count, failures])).toStrictEqual([
      ['load', 2, 1],
      ['sum', 2, 1],
    ]);
  });

  test('tells what took longer than the threshold of its kind, and a model call by its own and not as a request', () => {
    const { tracker } = scene({ slowMs: { request: 100, model_call: 500, database: 50, cache: 10, operation: 20 } });
    const { seen, stop } = slowOnes();
    tracker.recordRequest(request);
    tracker.recordRequest({ ...request, latencyMs: 100 });
    tracker.recordRequest({ ...request, route: '/v1/chat/completions', latencyMs: 800, notes: { call_id: 'c1' } });
    tracker.recordCall({ ...call, traceId: 't1' });
    tracker.recordCall({ ...call, latencyMs: 499 });
    tracker.trackDatabaseQuery({ operation: 'select', table: 'calls', durationMs: 49 });
    tracker.trackDatabaseQuery({ operation: 'select', table: 'calls', durationMs: 51, failed: true });
    tracker.trackCache({ cache: 'keys', operation: 'get', durationMs: 11, hit: true });
    stop();

    expect(seen.map(({ kind, name, durationMs, thresholdMs, failed }) => [kind, name, durationMs, thresholdMs, failed])).toStrictEqual([
      ['request', 'GET /api/keys/:id', 100, 100, false],
      ['model_call', 'primary fast', 800, 500, false],
      ['database', 'select calls', 51, 50, true],
      ['cache', 'keys get', 11, 10, false],
    ]);
    expect(seen[0]).toMatchObject({ requestId: 'r1', organizationId: 'o1', userId: 'u1' });
    expect(seen[1]).toMatchObject({ requestId: 'r1', organizationId: 'o1', traceId: 't1' });
    expect(summarizeKind(tracker.window(1), 'request').total).toMatchObject({ count: 3, slow: 1 });
  });

  test('adds up what requests and calls moved and used, by route, model, user, organization and key', () => {
    const { tracker } = scene();
    tracker.recordRequest(request);
    tracker.recordRequest({ ...request, status: 503, errorCategory: 'database', userId: undefined });
    tracker.recordCall({ ...call, userId: 'u1' });
    tracker.recordCall({ ...call, modelAsked: 'whatever a client says', outcome: 'failed', costNanoUsd: null });

    const window = tracker.window(1);
    expect(summarizeKind(window, 'request').total).toMatchObject({
      count: 2,
      failures: 1,
      sums: { requestBytes: 200, responseBytes: 1800 },
    });
    expect(Object.fromEntries(window.statuses)).toStrictEqual({ '2xx': 1, '5xx': 1 });
    expect(Object.fromEntries(window.errors)).toStrictEqual({ database: 1 });
    const models = summarizeKind(window, 'model_call');
    expect(models.series.map(({ name }) => name).toSorted()).toStrictEqual(['fast', 'other']);
    expect(models.total).toMatchObject({
      failures: 1,
      sums: { promptTokens: 20, completionTokens: 10, cachedTokens: 4, costNanoUsd: 700, unpriced: 1, attempts: 2 },
    });
    const usage = tracker.usage(1);
    expect(Object.fromEntries(usage.organizations.entries())).toStrictEqual({
      o1: { requests: 2, failures: 1, durationMs: 8, modelCalls: 2, promptTokens: 20, completionTokens: 10, costNanoUsd: 700 },
    });
    expect(usage.users.at('u1')).toMatchObject({ requests: 1, modelCalls: 1 });
    expect(usage.keys.at('k1')).toMatchObject({ requests: 2, modelCalls: 2 });
  });

  test('keeps a bounded number of series and users under 100,000 hostile names, and loses no count', () => {
    const { tracker } = scene({ maxSeries: 50, maxUsers: 20 });
    for (let at = 0; at < 100_000; at++) {
      tracker.trackDatabaseQuery({ operation: `o${at % 317}`, table: `t${at}`, durationMs: 1 });
      tracker.recordRequest({ ...request, method: `M${at}`, route: `/r${at}`, organizationId: `o${at}`, userId: `u${at}` });
    }

    const window = tracker.window(1);
    for (const kind of ['database', 'request'] as const) {
      const { total, series } = summarizeKind(window, kind);
      expect(series.length).toBeLessThanOrEqual(51);
      expect(total.count).toBe(100_000);
    }
    const organizations = [...tracker.usage(1).organizations.entries()];
    expect(organizations).toHaveLength(21);
    expect(organizations.reduce((sum, [, { requests }]) => sum + requests, 0)).toBe(100_000);
  });

  test('says the same of its minutes one by one, stored and merged, as of all at once', () => {
    const { clock, tracker } = scene();
    const random = createSeededRandom(7);
    const told: number[] = [];
    for (let at = 0; at < 3_000; at++) {
      const latencyMs = Math.exp(random.next() * 8);
      told.push(latencyMs);
      tracker.recordRequest({ ...request, latencyMs });
      tracker.sample('memory', latencyMs);
      clock.advance(150);
    }

    const merged = mergeAll(tracker.unsaved());
    const { total } = summarizeKind(merged, 'request');
    const sorted = told.toSorted((a, b) => a - b);
    expect(tracker.unsaved().length).toBe(8);
    expect(total.count).toBe(3_000);
    for (const [q, said] of [
      [0.5, total.p50Ms],
      [0.95, total.p95Ms],
      [0.99, total.p99Ms],
    ] as const) {
      const exact = sorted[Math.floor(q * (sorted.length - 1))]!;
      expect(Math.abs(said - exact)).toBeLessThanOrEqual(exact * 0.01 * (1 + 1e-9));
    }
    expect(summarizeKind(tracker.window(60), 'request')).toStrictEqual(summarizeKind(merged, 'request'));
    const [gauge] = summarizeGauges(merged);
    expect(gauge!.max).toBeCloseTo(sorted.at(-1)!, 2);
  });

  test('hands out a minute again only when it has seen something since it was saved', () => {
    const { clock, tracker } = scene();
    tracker.recordRequest(request);
    const first = tracker.unsaved();
    tracker.recordRequest(request);
    tracker.markSaved(first);
    const second = tracker.unsaved();
    tracker.markSaved(second);

    expect(second.map(({ minute }) => minute)).toStrictEqual(first.map(({ minute }) => minute));
    expect(second[0]!.record.statuses).toStrictEqual({ '2xx': 2 });
    expect(tracker.unsaved()).toStrictEqual([]);
    clock.advance(60_000);
    tracker.recordRequest(request);
    expect(tracker.unsaved().map(({ record }) => record.statuses)).toStrictEqual([{ '2xx': 1 }]);
  });

  test('loses nothing while its minutes cannot be saved, up to its history, and counts what it loses beyond', () => {
    const { clock, tracker } = scene({ historyMinutes: 10 });
    for (let minute = 0; minute < 10; minute++) {
      tracker.recordRequest(request);
      clock.advance(60_000);
    }
    tracker.recordRequest(request);
    expect([tracker.lostMinutes, tracker.unsaved().length]).toStrictEqual([1, 10]);

    tracker.markSaved(tracker.unsaved());
    clock.advance(60_000);
    tracker.recordRequest(request);
    expect(tracker.lostMinutes).toBe(1);
  });

  test('looks back as far as it is asked to, over minutes in which nothing happened', () => {
    const { clock, tracker } = scene();
    tracker.recordRequest(request);
    clock.advance(30 * 60_000);
    tracker.recordRequest(request);

    const countOf = (minutes: number) => summarizeKind(tracker.window(minutes), 'request').total.count;
    expect([countOf(1), countOf(30), countOf(31)]).toStrictEqual([1, 1, 2]);
    expect(tracker.minutes()).toHaveLength(2);
  });

  test('never writes to a minute again that is over: a clock that is set back makes it another source', () => {
    const { clock, tracker } = scene();
    const start = clock.now();
    clock.setNow(start + 30_000);
    tracker.recordRequest(request);
    clock.setNow(start - 20_000);
    tracker.recordRequest(request);
    expect(tracker.unsaved()).toHaveLength(1);
    clock.setNow(start - 3_600_000);
    tracker.recordRequest(request);
    clock.setNow(start);
    tracker.recordRequest(request);

    const minutes = tracker.unsaved();
    expect(new Set(minutes.map(({ source, minute }) => `${source} ${minute}`)).size).toBe(minutes.length);
    expect(summarizeKind(mergeAll(minutes), 'request').total.count).toBe(4);
    expect(minutes[0]!.source).not.toBe(minutes[1]!.source);
  });
});
