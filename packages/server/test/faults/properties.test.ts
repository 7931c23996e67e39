import type { ErrorCode } from '@holdfast/kit/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelDefinition } from '../../src/model/index.ts';
import { createTraffic, type Behaviour, type OfferedCall, type Offered } from './traffic.ts';

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });

const limits = { connectMs: 5_000, firstTokenMs: 8_000, answerMs: 20_000, stallMs: 6_000, totalMs: 40_000 };
const retryable = fc.constantFrom<ErrorCode>(
  'provider_failed',
  'provider_unreachable',
  'provider_overloaded',
  'provider_rate_limited',
  'stream_cut',
);
const anyCode = fc.oneof(
  retryable,
  fc.constantFrom<ErrorCode>(
    'provider_malformed',
    'stream_stalled',
    'provider_auth_failed',
    'context_length_exceeded',
    'content_filtered',
    'internal_error',
  ),
);

const retry = fc.record({
  attempts: fc.integer({ min: 1, max: 6 }),
  firstDelayMs: fc.nat(2_000),
  jitter: fc.constantFrom('full' as const, 'none' as const),
});
const breaker = fc.record({
  threshold: fc.integer({ min: 1, max: 10 }),
  recoveryMs: fc.integer({ min: 0, max: 120_000 }),
});
/** A quiet target has not its threshold of failures in any window: there the budget is what bounds it. */
const ratioBreaker = fc.record({ threshold: fc.integer({ min: 1, max: 10 }), mode: fc.constant('ratio' as const) });

const failingBehaviour: fc.Arbitrary<Behaviour> = fc.record({
  connectedAfterMs: fc.nat(200),
  firstAfterMs: fc.constant(undefined),
  endsAfterMs: fc.nat(3_000),
  failure: fc.record({ code: retryable, retryAfterSeconds: optional(fc.integer({ min: 0, max: 60 })) }),
});

/** A thousand calls of which every request fails. */
function outage(maxGapMs: number): fc.Arbitrary<OfferedCall[]> {
  const pattern = fc.array(fc.record({ gapMs: fc.nat(maxGapMs), behaviour: failingBehaviour }), { minLength: 5, maxLength: 25 });
  return pattern.map((few) =>
    Array.from({ length: 1_000 }, (_, at) => {
      const { gapMs, behaviour } = few[at % few.length]!;
      return { gapMs, behaviours: [behaviour] };
    }),
  );
}

const alone = (others: Partial<ModelDefinition>): ModelDefinition => ({ targets: [{ name: 'p/a' }], limits, ...others });

/** Whole windows of ten seconds, counted as the budget does: by seconds. */
function windowsOf({ clock }: Offered): number {
  return Math.ceil((Math.floor(clock.monotonic() / 1_000) + 1) / 10);
}

/** A request to a target before the wait that it had asked the same call for was over. */
function violationsOfRetryAfter({ sent }: Offered): unknown[] {
  return sent.filter((request, index) =>
    sent.some(
      (before, earlier) =>
        earlier < index &&
        before.call === request.call &&
        before.target === request.target &&
        before.retryAfterMs !== undefined &&
        before.endedTurn! < request.turn &&
        request.atMs < before.endedAtMs! + before.retryAfterMs,
    ),
  );
}

describe('a target of which every request fails', () => {
  test('sees at most 1.10 requests a call with the breaker on', async () => {
    const scenario = fc.oneof(outage(20), outage(2_000), outage(100_000));
    await fc.assert(
      fc.asyncProperty(scenario, retry, breaker, fc.integer(), async (calls, retries, guards, seed) => {
        const traffic = createTraffic(alone({ retry: retries, guards: { breaker: guards } }), seed);
        await traffic.offer(calls);
        expect(traffic.sent.length).toBeLessThanOrEqual(1.1 * calls.length);
        expect(violationsOfRetryAfter(traffic)).toEqual([]);
        expect([traffic.clock.pendingTimers, traffic.listeners, traffic.ledger.open]).toEqual([0, 0, 0]);
      }),
      { numRuns: 8 },
    );
  });

  test('sees at most 1.2 requests a call, and three a window, with the budget alone', async () => {
    const scenario = fc.oneof(outage(20), outage(2_000), outage(60_000));
    await fc.assert(
      fc.asyncProperty(scenario, retry, fc.integer(), async (calls, retries, seed) => {
        const traffic = createTraffic(alone({ retry: retries, guards: { breaker: { enabled: false } } }), seed);
        await traffic.offer(calls);
        expect(traffic.sent.length).toBeLessThanOrEqual(1.2 * calls.length + 3 * windowsOf(traffic));
        expect(violationsOfRetryAfter(traffic)).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });
});

const anyBehaviour: fc.Arbitrary<Behaviour> = fc.record({
  connectedAfterMs: fc.oneof(fc.nat(200), fc.nat(6_000)),
  firstAfterMs: optional(fc.oneof(fc.nat(500), fc.nat(10_000))),
  endsAfterMs: fc.oneof(fc.nat(500), fc.nat(8_000)),
  failure: optional(fc.record({ code: anyCode, retryAfterSeconds: optional(fc.integer({ min: 0, max: 90 })) })),
});

const anyCalls: fc.Arbitrary<OfferedCall[]> = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.nat(500), fc.nat(90_000)),
    behaviours: fc.array(anyBehaviour, { minLength: 1, maxLength: 6 }),
    abortAfterMs: optional(fc.nat(10_000)),
  }),
  { minLength: 1, maxLength: 30 },
);

const anyModel: fc.Arbitrary<ModelDefinition> = fc.record({
  targets: fc.constantFrom([{ name: 'p/a' }], [{ name: 'p/a' }, { name: 'p/b' }], [{ name: 'p/a' }, { name: 'p/b' }, { name: 'p/c' }]),
  limits: fc.constant(limits),
  retry,
  holdBackMs: fc.constantFrom(0, 0, 1_000),
  hedge: fc.constantFrom(undefined, undefined, { delayMs: 300, maxExtraPercent: 100 }),
  guards: fc.record({
    breaker: fc.oneof(breaker, ratioBreaker, fc.constant({ enabled: false })),
    bulkhead: fc.constantFrom({}, { maxConcurrent: 2, maxQueued: 2, maxQueueMs: 1_000 }),
    budgetPercent: fc.constantFrom(20, 200),
  }),
});

const healthy: Behaviour = { connectedAfterMs: 0, firstAfterMs: 0, endsAfterMs: 0, failure: undefined };

describe('whatever targets and clients do', () => {
  test('a call keeps its rules, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(anyModel, anyCalls, fc.integer(), async (model, calls, seed) => {
        const traffic = createTraffic(model, seed);
        await traffic.offer(calls);
        const { sent, outcomes, ledger, clock } = traffic;

        // Nothing is sent again once the client has a byte, and what it gets comes from one request.
        expect(sent.filter(({ late }) => late)).toEqual([]);
        for (const outcome of outcomes) if (typeof outcome !== 'string') expect(new Set(outcome).size).toBe(1);
        expect(violationsOfRetryAfter(traffic)).toEqual([]);
        expect([clock.pendingTimers, traffic.listeners, ledger.open]).toEqual([0, 0, 0]);

        // Every request stands in the row of its call, and nothing else does.
        expect(ledger.rows).toHaveLength(calls.length);
        expect(ledger.rows.flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome !== 'refused'))).toHaveLength(sent.length);
        for (const { latencyMs, overheadMs } of ledger.rows) expect(overheadMs).toBeLessThanOrEqual(latencyMs + 0.001);

        // No permit, no probe and no slot is left: after the recovery as many calls as ever go straight through.
        await traffic.offer([{ gapMs: 3_700_000, behaviours: [healthy] }]);
        await traffic.offer([
          { gapMs: 0, behaviours: [healthy] },
          { gapMs: 0, behaviours: [healthy] },
        ]);
        expect(outcomes.slice(-3).every((outcome) => typeof outcome !== 'string')).toBe(true);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
