import { getEventListeners } from 'node:events';
import { HoldfastError, isHoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { createPolicy, type PolicyOptions } from '@holdfast/kit/resilience';
import { createFakeClock, createSeededRandom, type FakeClock } from '@holdfast/kit/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { offer, violationsOfRetryAfter, type Behaviour, type OfferedCall } from './traffic.ts';

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });

const retryable = fc.constantFrom<ErrorCode>('provider_failed', 'provider_unreachable', 'provider_overloaded', 'provider_rate_limited');
const anyCode = fc.constantFrom<ErrorCode>(
  'provider_failed',
  'provider_rate_limited',
  'first_token_timeout',
  'provider_auth_failed',
  'context_length_exceeded',
  'content_filtered',
  'client_closed',
  'internal_error',
);

function failureOf(code: fc.Arbitrary<ErrorCode>): fc.Arbitrary<() => Error> {
  return fc.record({ code, retryAfterSeconds: optional(fc.integer({ min: 0, max: 120 })) }).map(
    ({ code: one, retryAfterSeconds }) =>
      () =>
        new HoldfastError(one, retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  );
}

const retryOptions = fc.record({
  attempts: fc.integer({ min: 1, max: 6 }),
  backoff: fc.constantFrom('exponential' as const, 'linear' as const, 'immediate' as const),
  firstDelayMs: fc.nat(2_000),
  jitter: fc.constantFrom('full' as const, 'none' as const),
});

const breakerOptions = fc.record({ threshold: fc.integer({ min: 1, max: 10 }), recoveryMs: fc.integer({ min: 0, max: 120_000 }) });

/** A thousand calls, each of which fails however often it is tried. */
function outage(code: fc.Arbitrary<ErrorCode>, maxGapMs: number): fc.Arbitrary<OfferedCall[]> {
  const failing = fc.record({ afterMs: fc.nat(3_000), failure: failureOf(code) }, { requiredKeys: ['afterMs', 'failure'] });
  const few = fc.array(fc.record({ gapMs: fc.nat(maxGapMs), behaviour: failing }), { minLength: 5, maxLength: 25 });
  return few.map((pattern) =>
    Array.from({ length: 1_000 }, (_, at) => {
      const { gapMs, behaviour } = pattern[at % pattern.length]!;
      return { gapMs, behaviours: [behaviour] };
    }),
  );
}

function make(options: PolicyOptions, seed: number) {
  const clock = createFakeClock();
  return { clock, policy: createPolicy({ ...options, clock, random: createSeededRandom(seed) }) };
}

/** Whole windows of ten seconds, counted as the budget does: by seconds. */
function windowsOf(clock: FakeClock): number {
  return Math.ceil((Math.floor(clock.monotonic() / 1_000) + 1) / 10);
}

describe('a target of which every call fails', () => {
  test('sees at most 1.10 requests a call with the breaker on', async () => {
    const scenario = fc.oneof(outage(retryable, 20), outage(retryable, 2_000), outage(retryable, 200_000));
    await fc.assert(
      fc.asyncProperty(scenario, retryOptions, breakerOptions, fc.boolean(), fc.integer(), async (calls, retry, breaker, hedged, seed) => {
        const { clock, policy } = make({ retry, breaker, hedge: hedged && { delayMs: 500 } }, seed);
        const { sent } = await offer(policy, clock, calls);
        expect(sent.length).toBeLessThanOrEqual(1.1 * calls.length);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 12 },
    );
  });

  test('sees one request for each call that comes after the recovery, whatever the target asks for', async () => {
    const { clock, policy } = make({ retry: { attempts: 4, firstDelayMs: 0 } }, 1);
    const failure = () => new HoldfastError('provider_rate_limited', { retryAfterSeconds: 60 });
    const calls = Array.from({ length: 1_000 }, () => ({ gapMs: 300_000, behaviours: [{ afterMs: 1, failure }] }));
    const { sent } = await offer(policy, clock, calls);
    // The first four before it opened.
    expect(sent.length).toBeLessThanOrEqual(1_004);
  });

  test('sees at most 1.2 requests a call, and three a window, with the budget alone', async () => {
    const scenario = fc.oneof(outage(retryable, 20), outage(retryable, 2_000), outage(retryable, 60_000));
    await fc.assert(
      fc.asyncProperty(scenario, retryOptions, fc.integer(), async (calls, retry, seed) => {
        const { clock, policy } = make({ retry, breaker: false }, seed);
        const { sent } = await offer(policy, clock, calls);
        expect(sent.length).toBeLessThanOrEqual(1.2 * calls.length + 3 * windowsOf(clock));
      }),
      { numRuns: 12 },
    );
  });

  test('sees 1.2 requests a call, no fewer, when there are enough of them: the budget is not a ban', async () => {
    const { clock, policy } = make({ retry: { backoff: 'immediate' }, breaker: false }, 1);
    const calls = Array.from({ length: 1_000 }, () => ({
      gapMs: 10,
      behaviours: [{ afterMs: 5, failure: () => new HoldfastError('provider_failed') }],
    }));
    const { sent } = await offer(policy, clock, calls);
    expect(sent.length).toBeGreaterThan(1_190);
    expect(sent.length).toBeLessThanOrEqual(1_203);
  });
});

const anyBehaviour: fc.Arbitrary<Behaviour> = fc.record({
  afterMs: fc.nat(3_000),
  failure: optional(failureOf(anyCode)),
  deaf: fc.constantFrom(false, false, true),
  atOnce: fc.boolean(),
  streams: fc.constantFrom(false, false, false, true),
});

const anyCalls: fc.Arbitrary<OfferedCall[]> = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.nat(500), fc.nat(90_000)),
    behaviours: fc.array(anyBehaviour, { minLength: 1, maxLength: 5 }),
    abortAfterMs: optional(fc.nat(5_000)),
  }),
  { minLength: 1, maxLength: 30 },
);

const anyOptions: fc.Arbitrary<PolicyOptions> = fc
  .record({
    deadlineMs: fc.integer({ min: 1, max: 200_000 }),
    timeoutMs: optional(fc.integer({ min: 1, max: 4_000 })),
    retry: fc.oneof(retryOptions, fc.constant(false as const)),
    hedge: fc.oneof(fc.record({ delayMs: fc.integer({ min: 1, max: 2_000 }), maxExtraPercent: fc.constant(100) }), fc.constant(false)),
    breaker: fc.oneof(breakerOptions, fc.constant(false)),
    bulkhead: fc.oneof(
      fc.record({
        maxConcurrent: fc.integer({ min: 1, max: 3 }),
        maxQueued: fc.nat(3),
        maxQueueMs: fc.constantFrom(100, Number.POSITIVE_INFINITY),
      }),
      fc.constant(false),
    ),
    adaptive: fc.oneof(
      fc.record({
        algorithm: fc.constantFrom('gradient' as const, 'aimd' as const),
        initialLimit: fc.integer({ min: 1, max: 3 }),
        windowMs: fc.constant(1),
        minSamples: fc.constant(1),
      }),
      fc.constant(false),
    ),
  })
  .map(({ timeoutMs, ...rest }) => (timeoutMs === undefined ? rest : { ...rest, timeoutMs }));

test('whatever fails, hangs or is given up: all calls end in time, keep to what they were told, and leave nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(anyOptions, anyCalls, fc.integer(), async (options, calls, seed) => {
      const { clock, policy } = make(options, seed);
      const { sent, outcomes, signals, cancellations } = await offer(policy, clock, calls);

      for (const { call, tookMs } of outcomes) {
        expect(tookMs).toBeLessThanOrEqual(Math.min(options.deadlineMs!, calls[call]!.abortAfterMs ?? Number.POSITIVE_INFINITY));
      }
      expect(violationsOfRetryAfter(sent)).toEqual([]);
      expect(sent.filter(({ afterCommit }) => afterCommit)).toEqual([]);

      expect(clock.pendingTimers).toBe(0);
      expect(signals.map((signal) => getEventListeners(signal, 'abort').length).filter((count) => count > 0)).toEqual([]);
      for (const slots of [policy.bulkhead, policy.adaptive]) {
        if (slots) expect(slots.status()).toMatchObject({ inUse: 0, queued: 0 });
      }
      expect(cancellations.filter(({ listeners }) => listeners > 0)).toEqual([]);
      // A target that is well again is served again as soon as the breaker says so: no probe is lost.
      const probeInMs = policy.breaker?.status().probeInMs;
      if (probeInMs !== undefined) await clock.advanceAsync(probeInMs);
      expect(await policy.execute(() => 'well')).toBe('well');
      expect(policy.breaker?.state ?? 'closed').toBe('closed');
    }),
    { numRuns: 400 },
  );
});

test('a wait that a target asked for is kept to the millisecond, whatever else is due', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ afterMs: fc.nat(500), retryAfterMs: fc.nat(20_000) }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer(),
      async (refusals, deadlineMs, seed) => {
        const { clock, policy } = make(
          { deadlineMs, breaker: false, retry: { attempts: 6, budgetPercent: Number.POSITIVE_INFINITY } },
          seed,
        );
        const behaviours: Behaviour[] = refusals.map(({ afterMs, retryAfterMs }) => ({
          afterMs,
          failure: () => new HoldfastError('provider_rate_limited', { retryAfterSeconds: retryAfterMs / 1000 }),
        }));
        const { sent, outcomes } = await offer(policy, clock, [{ gapMs: 0, behaviours: [...behaviours, { afterMs: 10 }] }]);
        expect(violationsOfRetryAfter(sent)).toEqual([]);
        const [{ tookMs, error }] = outcomes as [(typeof outcomes)[number]];
        expect(tookMs).toBeLessThanOrEqual(deadlineMs);
        // Given up for the wait that does not fit, it is given up at once.
        if (isHoldfastError(error) && error.code === 'provider_rate_limited') expect(tookMs).toBe(sent.at(-1)!.failedAt);
      },
    ),
    { numRuns: 100 },
  );
});
