import fc from 'fast-check';
import { HoldfastError } from '@holdfast/kit/errors';
import type { AttemptResult, Operation } from '@holdfast/kit/llm';
import { createMemoryDriver, createRateLimiter, type Decision, type RateLimiter } from '@holdfast/kit/ratelimit';
import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { createModelCall } from '../../../test/support/model-call.ts';
import type { CallRateLimits } from '../call-rate-limits.ts';
import type { CallNext, ModelCall } from '../model-call.ts';
import type { ModelRoute } from '../model-route.ts';
import { createRouting, RoutingMemory } from '../routing/index.ts';
import { limitsLayer } from './limits.ts';

const answer: AttemptResult = {
  head: { headers: {} },
  tail: Buffer.from('{}'),
  usage: undefined,
  finishReason: 'stop',
  servedModel: undefined,
  outputBytes: 0,
};

interface Given {
  readonly model?: CallRateLimits;
  readonly key?: CallRateLimits;
  readonly organization?: CallRateLimits;
  readonly shadow?: boolean;
  readonly enabled?: boolean;
  readonly limiter?: RateLimiter;
}

function setUp({ model, key, organization, shadow = false, enabled = true, ...given }: Given) {
  const clock = createFakeClock();
  const limiter = given.limiter ?? createRateLimiter({ driver: createMemoryDriver({ clock }) });
  const current = enabled ? { organizationLimits: () => organization, assumedCompletionTokens: 100, shadow } : undefined;
  const layer = limitsLayer({ limiter, current }, clock);
  const routing = createRouting({ strategy: 'fallback', targets: [], random: createSeededRandom(1), memory: new RoutingMemory(clock) });
  const route = {
    name: 'fast',
    targets: [],
    routing,
    rateLimits: model,
    totalMs: 1,
    hedged: false,
    holdBackMs: 0,
    mostAttempts: 1,
    triesAgain: false,
  } satisfies ModelRoute;
  let asked = 0;
  function callOf(keyId = 'k', body: object = { max_tokens: 50 }, operation: Operation = 'chat'): ModelCall {
    return createModelCall({ operation, model: 'fast', stream: false, body, principal: { keyId, rateLimits: key }, record: { route } });
  }
  return {
    clock,
    limiter,
    callOf,
    asked: () => asked,
    /** A call that goes on until it is told how it ends. */
    begin(call: ModelCall = callOf()) {
      const { promise, resolve, reject } = Promise.withResolvers<AttemptResult>();
      const next: CallNext = () => {
        asked++;
        return promise;
      };
      let result: Promise<AttemptResult>;
      try {
        result = layer(next)(call);
      } catch (thrown) {
        result = Promise.reject(thrown);
      }
      const done = result.then(
        () => 'completed',
        (error: HoldfastError) => error.code,
      );
      return {
        call,
        done,
        async end(tokens: number | undefined, error?: HoldfastError) {
          const usage =
            tokens === undefined
              ? undefined
              : {
                  promptTokens: tokens,
                  completionTokens: 0,
                  cachedTokens: 0,
                  cacheWriteTokens: 0,
                  reasoningTokens: 0,
                  source: 'provider' as const,
                };
          call.record.settled = { outcome: error ? 'failed' : 'completed', error, use: undefined, usage, costNanoUsd: 0 };
          if (error) reject(error);
          else resolve(answer);
          return done;
        },
      };
    },
    used: (policy: string) =>
      (limiter.list({ policy, limit: 1_000 }) as readonly { used: number }[]).reduce((sum, { used }) => sum + used, 0),
  };
}

const refusalOf = async ({ done, call }: { done: Promise<string>; call: ModelCall }) => [
  await done,
  call.record.limits?.binding?.policy.name,
];

test('a call that nothing limits takes nothing and asks nobody', async () => {
  const nobody = { take: () => expect.unreachable() } as unknown as RateLimiter;
  const { begin } = setUp({ limiter: nobody });
  const call = begin();
  expect(await call.end(10)).toBe('completed');
  expect(call.call.record.limits).toBeUndefined();
});

test.each([
  ['model', { model: { requestsPerMinute: 2 } }, 'model-calls'],
  ['key', { key: { requestsPerMinute: 2 } }, 'key-calls'],
  ['organization', { organization: { requestsPerMinute: 2 } }, 'organization-calls'],
])('so many calls a minute of a %s, and no more before the minute is over', async (_level, given, name) => {
  const { begin, clock, asked } = setUp(given);
  for (let call = 0; call < 2; call++) expect(await begin().end(1)).toBe('completed');
  const refused = begin();
  expect(await refusalOf(refused)).toEqual(['rate_limited', name]);
  expect(refused.call.record.limits!.retryAfterMs).toBeGreaterThan(0);
  expect(asked()).toBe(2);
  clock.advance(61_000);
  expect(await begin().end(1)).toBe('completed');
});

test('keys have limits of their own, a model has one for all', async () => {
  const { begin, callOf } = setUp({ key: { requestsPerMinute: 1 }, model: { requestsPerMinute: 3 } });
  for (const key of ['a', 'b', 'c']) expect(await begin(callOf(key)).end(1)).toBe('completed');
  expect(await refusalOf(begin(callOf('d')))).toEqual(['rate_limited', 'model-calls']);
});

test('what one level refuses is not taken from the others', async () => {
  const { begin, callOf, used } = setUp({
    model: { requestsPerMinute: 10, tokensPerMinute: 1_000, concurrent: 10 },
    key: { requestsPerMinute: 1 },
  });
  const first = begin();
  for (let call = 0; call < 5; call++) expect(await begin().done).toBe('rate_limited');
  await first.end(100);
  // Half full at least, so that it is listed.
  for (let key = 0; key < 7; key++) await begin(callOf(`other-${key}`)).end(100);
  expect([used('model-calls'), used('model-tokens'), used('model-concurrent')]).toEqual([8, 800, 0]);
});

test('of 64 calls at once one gets the one place, and it is free as soon as that call has ended', async () => {
  const { begin, callOf } = setUp({ key: { concurrent: 1 } });
  const calls = Array.from({ length: 64 }, () => begin(callOf()));
  const outcomes = await Promise.all(calls.slice(1).map((call) => call.done));
  expect(new Set(outcomes)).toEqual(new Set(['rate_limited']));
  for (let next = calls[0]!, round = 0; round < 5; round++) {
    expect(await next.end(1, round % 2 ? new HoldfastError('stream_cut') : undefined)).toMatch(/completed|stream_cut/);
    next = begin(callOf());
  }
});

test('a place is held for as long as the call goes on, and no timer is left when none does', async () => {
  const { begin, clock } = setUp({ model: { concurrent: 1 } });
  const long = begin();
  for (let minute = 0; minute < 30; minute++) {
    clock.advance(60_000);
    expect(await begin().done).toBe('rate_limited');
  }
  await long.end(1);
  expect(await begin().end(1)).toBe('completed');
  clock.advance(600_000);
  expect(clock.pendingTimers).toBe(0);
});

test('a place whose holder died is free after a minute', async () => {
  const clock = createFakeClock();
  const limiter = createRateLimiter({ driver: createMemoryDriver({ clock }) });
  // Its renewals stand still with the process that it died with: this one has a clock of its own.
  const dead = setUp({ model: { concurrent: 1 }, limiter });
  dead.begin();
  const alive = setUp({ model: { concurrent: 1 }, limiter });
  expect(await alive.begin().done).toBe('rate_limited');
  clock.advance(60_000);
  expect(await alive.begin().end(1)).toBe('completed');
});

test('tokens are reserved by what is expected and settled by what was used', async () => {
  const { begin, callOf, limiter } = setUp({ key: { tokensPerMinute: 10_000 } });
  const remaining = (call: ModelCall) => call.record.limits!.buckets[0]!.remaining;
  const first = begin(callOf('k', { max_tokens: 4_000 }));
  const second = begin(callOf('k', { max_tokens: 4_000 }));
  expect(remaining(second.call)).toBeLessThan(2_000);
  expect(await begin(callOf('k', { max_tokens: 4_000 })).done).toBe('rate_limited');
  await first.end(300);
  await second.end(700);
  const { policy } = first.call.record.limits!.buckets[0]!;
  expect((limiter.peek([{ policy, key: 'k' }]) as Decision).buckets[0]!.remaining).toBe(9_000);
});

test('what a request used that lost a race is paid for too', async () => {
  const { begin, callOf, limiter } = setUp({ key: { tokensPerMinute: 10_000 } });
  const call = begin(callOf('k', { max_tokens: 4_000 }));
  const usage = {
    promptTokens: 40,
    completionTokens: 2,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    source: 'estimated' as const,
  };
  const attempt = { provider: 'p', model: 'm', outcome: 'cancelled' as const, error_code: null, latency_ms: 1 };
  call.call.record.attempts.push({ ...attempt, extra: { providerKind: 'openai', usage, costNanoUsd: null } }, attempt);
  await call.end(300);
  const { policy } = call.call.record.limits!.buckets[0]!;
  expect((limiter.peek([{ policy, key: 'k' }]) as Decision).buckets[0]!.remaining).toBe(10_000 - 342);
});

test('what was used beyond the reservation is owed', async () => {
  const { begin, callOf, clock } = setUp({ key: { tokensPerMinute: 6_000 } });
  await begin(callOf('k', { max_tokens: 10 })).end(9_000);
  const refused = begin(callOf('k', { max_tokens: 10 }));
  expect(await refused.done).toBe('rate_limited');
  expect(refused.call.record.limits!.retryAfterMs).toBeGreaterThan(30_000);
  clock.advance(refused.call.record.limits!.retryAfterMs);
  expect(await begin(callOf('k', { max_tokens: 10 })).end(1)).toBe('completed');
});

test('a maximum that is larger than the limit waits for a full bucket, a prompt that is larger is refused for good', async () => {
  const { begin, callOf } = setUp({ key: { tokensPerMinute: 1_000 } });
  expect(await begin(callOf('k', { max_tokens: 64_000 })).end(0)).toBe('completed');
  const large = begin(callOf('k', { prompt: 'word '.repeat(1_000) }));
  const error = (await large.done) as string;
  expect([error, large.call.record.limits!.retryAfterMs]).toEqual(['rate_limited', Infinity]);
});

test('counting tokens is a call, and uses none', async () => {
  const { begin, callOf } = setUp({ key: { tokensPerMinute: 10, requestsPerMinute: 2 } });
  for (let call = 0; call < 2; call++)
    expect(await begin(callOf('k', { prompt: 'word '.repeat(1_000) }, 'count_tokens')).end(undefined)).toBe('completed');
  expect(await refusalOf(begin(callOf('k', {}, 'count_tokens')))).toEqual(['rate_limited', 'key-calls']);
});

test.each([
  ['of the whole server', { shadow: true, key: { requestsPerMinute: 1 } }],
  ['of the limit', { key: { requestsPerMinute: 1, shadow: true } }],
])('in the shadow %s what would be refused is told and goes on', async (_of, given) => {
  const { begin } = setUp(given);
  await begin().end(1);
  const second = begin();
  expect(second.call.record.limits!.buckets[0]!.refused).toBe(true);
  expect(await second.end(1)).toBe('completed');
});

test('a call has not ended before its place is free, wherever that is kept', async () => {
  const { limiter } = setUp({});
  const { promise: freed, resolve: free } = Promise.withResolvers<void>();
  const elsewhere = {
    take: async (takes: Parameters<RateLimiter['take']>[0]) => ({ ...(await limiter.take(takes)), finish: () => freed }),
  } as unknown as RateLimiter;
  const call = setUp({ key: { requestsPerMinute: 5 }, limiter: elsewhere }).begin();
  let ended = false;
  const end = call.end(1).then(() => (ended = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  free();
  await end;
});

test('nothing is taken while limits are switched off', async () => {
  const { begin, used } = setUp({ enabled: false, key: { requestsPerMinute: 1 }, model: { concurrent: 1 } });
  for (let call = 0; call < 3; call++) begin();
  expect([await begin().end(1), used('key-calls')]).toEqual(['completed', 0]);
});

test('a store that fails refuses the call before it costs anything; one that fails at its end costs no answer', async () => {
  const failing = { take: () => Promise.reject(new HoldfastError('limiter_unavailable')) } as unknown as RateLimiter;
  const refused = setUp({ key: { concurrent: 1 }, limiter: failing });
  expect([await refused.begin().done, refused.asked()]).toEqual(['limiter_unavailable', 0]);

  const { limiter } = setUp({});
  const lost = {
    ...limiter,
    take: async (takes: Parameters<RateLimiter['take']>[0]) => ({
      ...(await limiter.take(takes)),
      finish: () => Promise.reject(new Error('away')),
    }),
  };
  const served = setUp({ key: { requestsPerMinute: 5 }, limiter: lost as unknown as RateLimiter });
  const call = served.begin();
  expect(await call.end(1)).toBe('completed');
});

test('over any faults, aborts and times: never more at once than allowed, never more tokens than the bucket and its underestimates, and nothing is left', async () => {
  const event = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant('begin' as const), maximum: fc.integer({ min: 0, max: 3_000 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant('end' as const),
        which: fc.nat(10),
        tokens: fc.option(fc.nat(5_000), { nil: undefined }),
        code: fc.constantFrom(
          undefined,
          'client_closed' as const,
          'stream_cut' as const,
          'call_timeout' as const,
          'ledger_unavailable' as const,
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.nat(90_000) }) },
  );
  const limits = { tokensPerMinute: 6_000, concurrent: 3, requestsPerMinute: 20 };
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 80 }), async (events) => {
      const { begin, callOf, clock, limiter } = setUp({
        model: limits,
        key: limits,
        organization: { concurrent: 3, tokensPerMinute: 6_000 },
      });
      const running: (ReturnType<typeof begin> & { reserved: number })[] = [];
      let used = 0;
      let underestimated = 0;
      const end = async (at: number, tokens: number | undefined, code?: ConstructorParameters<typeof HoldfastError>[0]) => {
        const [call] = running.splice(at, 1);
        await call!.end(tokens, code && new HoldfastError(code));
        used += tokens ?? 0;
        underestimated += Math.max(0, (tokens ?? 0) - call!.reserved);
      };
      for (const each of events) {
        if (each.what === 'begin') {
          const call = begin(callOf('k', { max_tokens: each.maximum }));
          if (call.call.record.limits!.allowed) {
            const reserved = call.call.record.limits!.buckets.find(({ policy }) => policy.unit === 'tokens')!.cost;
            running.push({ ...call, reserved });
          }
          expect(running.length).toBeLessThanOrEqual(3);
        } else if (each.what === 'end') {
          if (running.length > 0) await end(each.which % running.length, each.tokens, each.code);
        } else {
          clock.advance(each.ms);
        }
        expect(used).toBeLessThanOrEqual(6_000 + (6_000 * clock.monotonic()) / 60_000 + underestimated);
      }
      while (running.length > 0) await end(0, 0);
      const places = limiter.list({ limit: 1_000 }) as readonly { kind: string; used: number }[];
      expect(places.filter(({ kind, used: taken }) => kind === 'concurrency' && taken > 0)).toEqual([]);
      clock.advance(3_600_000);
      expect([limiter.list({ limit: 1_000 }), clock.pendingTimers]).toEqual([[], 0]);
    }),
    { numRuns: 150 },
  );
});
