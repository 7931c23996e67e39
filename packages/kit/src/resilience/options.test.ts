import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../errors/index.ts';
import { createFakeClock } from '../testing/index.ts';
import {
  breakerDefaults,
  callTimedOut,
  createAdaptiveConcurrency,
  createBreakerGroup,
  createBulkhead,
  createCallContext,
  createCircuitBreaker,
  createPolicy,
  createRetryBudget,
  deadline,
  fallback,
  fallbackUsed,
  hedge,
  hedgeStarted,
  retry,
  retryAbandoned,
  timeout,
  withBulkhead,
  withFallback,
  withPolicy,
  withRetry,
  withTimeout,
} from './index.ts';

const make = {
  retry,
  hedge,
  timeout,
  deadline,
  breaker: createCircuitBreaker,
  group: createBreakerGroup,
  bulkhead: createBulkhead,
  adaptive: createAdaptiveConcurrency,
  budget: createRetryBudget,
  policy: createPolicy,
} as unknown as Record<string, (options: unknown) => unknown>;

describe('an option that makes no sense is refused when it is given, with what was received', () => {
  test.each<[string, unknown, string]>([
    ['retry', { attempts: 0 }, 'retry.attempts must be a whole number ≥ 1, not 0'],
    ['retry', { attempts: 1.5 }, 'retry.attempts must be a whole number ≥ 1, not 1.5'],
    ['retry', { attempts: Number.POSITIVE_INFINITY }, 'retry.attempts must be a whole number ≥ 1, not Infinity'],
    ['retry', { attempts: '3' }, "retry.attempts must be a whole number ≥ 1, not '3'"],
    ['retry', { firstDelayMs: -1 }, 'retry.firstDelayMs must be a number from 0 to 2147483647, not -1'],
    ['retry', { factor: 0.5 }, 'retry.factor must be a number ≥ 1, not 0.5'],
    ['retry', { maxDelayMs: Number.NaN }, 'retry.maxDelayMs must be a number from 0 to 2147483647, not NaN'],
    ['retry', { backoff: 'random' }, "retry.backoff must be 'exponential' or 'linear' or 'immediate', not 'random'"],
    ['retry', { jitter: true }, "retry.jitter must be 'full' or 'none', not true"],
    ['retry', { budgetPercent: -1 }, 'retry.budgetPercent must be a number ≥ 0 or Infinity, not -1'],
    ['retry', { budgetMinPerWindow: -1 }, 'retry.budgetMinPerWindow must be a number ≥ 0, not -1'],
    ['retry', { budgetWindowMs: 1 }, 'retry.budgetWindowMs must be a number ≥ 10, not 1'],
    ['retry', { maxRetryAfterMs: -1 }, 'retry.maxRetryAfterMs must be a number ≥ 0 or Infinity, not -1'],
    ['retry', { classify: 'all' }, "retry.classify must be a function, not 'all'"],
    [
      'retry',
      { maxAttempts: 3 },
      "an option of retry must be one of attempts, backoff, firstDelayMs, factor, maxDelayMs, jitter, budgetPercent, budgetMinPerWindow, budgetWindowMs, name, maxRetryAfterMs, budget, classify, clock, random, not 'maxAttempts'",
    ],
    ['retry', null, 'the options of retry must be an object, not null'],
    ['retry', [1], 'the options of retry must be an object, not [ 1 ]'],
    ['hedge', { afterPercentile: 101 }, 'hedge.afterPercentile must be a number from 0 to 100, not 101'],
    ['hedge', { maxExtraPercent: 101 }, 'hedge.maxExtraPercent must be a number from 0 to 100, not 101'],
    ['hedge', { sampleCount: 0 }, 'hedge.sampleCount must be a whole number from 1 to 65536, not 0'],
    ['hedge', { minSamples: 300 }, 'hedge.minSamples must be a whole number from 1 to 256, not 300'],
    ['hedge', { delayMs: 0 }, 'hedge.delayMs must be a number from 1 to 2147483647, not 0'],
    ['hedge', { minDelayMs: -1 }, 'hedge.minDelayMs must be a number from 0 to 2147483647, not -1'],
    [
      'hedge',
      { delay: 5 },
      "an option of hedge must be one of afterPercentile, maxExtraPercent, minSamples, sampleCount, minDelayMs, name, delayMs, clock, not 'delay'",
    ],
    ['timeout', {}, 'timeoutMs must be a number from 1 to 2147483647, not undefined'],
    ['timeout', { timeoutMs: 3e9 }, 'timeoutMs must be a number from 1 to 2147483647, not 3000000000'],
    ['timeout', { ms: 5 }, "an option of timeout must be one of name, timeoutMs, clock, not 'ms'"],
    ['deadline', { deadlineMs: 0 }, 'deadlineMs must be a number from 1 to 2147483647, not 0'],
    ['deadline', { ms: 5 }, "an option of deadline must be one of name, deadlineMs, clock, not 'ms'"],
    ['breaker', { mode: 'sampling' }, "breaker.mode must be 'consecutive' or 'ratio', not 'sampling'"],
    ['breaker', { threshold: 0 }, 'breaker.threshold must be a whole number ≥ 1, not 0'],
    ['breaker', { ratio: 0 }, `breaker.ratio must be a number from ${Number.MIN_VALUE} to 1, not 0`],
    ['breaker', { ratio: 1.1 }, 'not 1.1'],
    ['breaker', { windowMs: 9 }, 'breaker.windowMs must be a number ≥ 10, not 9'],
    ['breaker', { recoveryMs: -1 }, 'breaker.recoveryMs must be a number ≥ 0, not -1'],
    ['breaker', { maxRecoveryMs: -1 }, 'breaker.maxRecoveryMs must be a number ≥ 0 or Infinity, not -1'],
    ['breaker', { probeLeaseMs: 0 }, 'breaker.probeLeaseMs must be a number ≥ 1, not 0'],
    ['breaker', { classify: 1 }, 'breaker.classify must be a function, not 1'],
    ['breaker', { timeout: 1 }, 'an option of breaker must be one of mode, threshold, '],
    ['breaker', { timeout: 1 }, "probeLeaseMs, name, store, classify, clock, not 'timeout'"],
    ['group', { threshold: 0 }, 'breaker.threshold must be a whole number ≥ 1, not 0'],
    ['group', { maxBreakers: 0 }, 'breaker.maxBreakers must be a whole number ≥ 1, not 0'],
    ['bulkhead', { maxConcurrent: 0 }, 'bulkhead.maxConcurrent must be a whole number ≥ 1, not 0'],
    ['bulkhead', { maxQueued: -1 }, 'bulkhead.maxQueued must be a whole number ≥ 0 or Infinity, not -1'],
    ['bulkhead', { maxQueueMs: 0 }, 'bulkhead.maxQueueMs must be a number from 1 to 2147483647, not 0'],
    ['bulkhead', { size: 1 }, "an option of bulkhead must be one of maxConcurrent, maxQueued, maxQueueMs, name, clock, not 'size'"],
    ['adaptive', { algorithm: 'vegas' }, "adaptive.algorithm must be 'gradient' or 'aimd', not 'vegas'"],
    ['adaptive', { minLimit: 0 }, 'adaptive.minLimit must be a number ≥ 1, not 0'],
    ['adaptive', { minLimit: 30, maxLimit: 20 }, 'adaptive.maxLimit must be a number ≥ 30, not 20'],
    ['adaptive', { initialLimit: 300 }, 'adaptive.initialLimit must be a number from 1 to 200, not 300'],
    ['adaptive', { windowMs: 0 }, 'adaptive.windowMs must be a number ≥ 1, not 0'],
    ['adaptive', { minSamples: 0 }, 'adaptive.minSamples must be a whole number ≥ 1, not 0'],
    ['adaptive', { maxQueued: 0.5 }, 'adaptive.maxQueued must be a whole number ≥ 0 or Infinity, not 0.5'],
    ['adaptive', { maxQueueMs: 0 }, 'adaptive.maxQueueMs must be a number from 1 to 2147483647, not 0'],
    ['adaptive', { classify: 1 }, 'adaptive.classify must be a function, not 1'],
    ['adaptive', { size: 1 }, 'an option of adaptive must be one of algorithm, '],
    ['adaptive', { size: 1 }, "maxQueueMs, name, classify, clock, not 'size'"],
    ['budget', { percent: Number.NaN }, 'retry.budgetPercent must be a number ≥ 0 or Infinity, not NaN'],
    ['policy', { retry: { attempts: 0 } }, 'retry.attempts must be a whole number ≥ 1, not 0'],
    ['policy', { retry: 'always' }, "retry must be 'http', 'llm', its options or false, not 'always'"],
    ['policy', { hedge: 'always' }, "hedge must be its options, true or false, not 'always'"],
    ['policy', { breaker: 5 }, 'breaker must be its options, one that exists, true or false, not 5'],
    ['policy', { adaptive: 5 }, 'adaptive must be its options, one that exists, true or false, not 5'],
    ['retry', { maxRetryAfterMs: '5' }, "retry.maxRetryAfterMs must be a number ≥ 0 or Infinity, not '5'"],
    ['retry', { attempts: { a: { b: 1 } } }, 'retry.attempts must be a whole number ≥ 1, not { a: [Object] }'],
    ['retry', { backoff: 'x'.repeat(90) }, `not '${'x'.repeat(80)}'... 10 more characters`],
    ['policy', { breaker: { threshold: 'five' } }, "breaker.threshold must be a whole number ≥ 1, not 'five'"],
    ['policy', { bulkhead: 5 }, 'bulkhead must be its options, one that exists, true or false, not 5'],
    ['policy', { timeoutMs: '5s' }, "timeoutMs must be a number from 1 to 2147483647, not '5s'"],
    [
      'policy',
      { timeout: 5 },
      "an option of createPolicy must be one of retry, hedge, breaker, bulkhead, adaptive, deadlineMs, timeoutMs, name, classify, clock, random, not 'timeout'",
    ],
    ['policy', { deadline: 5 }, "not 'deadline'"],
  ])('%s %o', (what, options, message) => {
    expect(() => make[what]!(options)).toThrow(
      expect.objectContaining({ code: 'configuration_invalid', message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ['the alternatives of fallback must be a list of at least one function, not []', () => fallback([])],
    ["an alternative of fallback must be a function, not 'cached'", () => fallback(['cached'] as never)],
    ["an option of fallback must be one of name, classify, not 'order'", () => fallback([async () => 1], { order: 1 } as never)],
    ['fallback.classify must be a function, not 1', () => fallback([async () => 1], { classify: 1 } as never)],
    [
      'the alternatives of fallback must be a list of at least one function, not undefined',
      () => withFallback(async () => 1, undefined as never),
    ],
    ["what is wrapped must be a function, not 'fetch'", () => withRetry('fetch' as never)],
    ["what is wrapped must be a function, not 'fetch'", () => withFallback('fetch' as never, [() => 1 as never])],
    ["what is wrapped must be a function, not 'fetch'", () => withPolicy('fetch' as never)],
    ['the options of a wrapper must be an object, not undefined', () => withTimeout(async () => 1, undefined as never)],
    [
      "an option of bulkhead must be one of maxConcurrent, maxQueued, maxQueueMs, name, clock, not 'attempts'",
      () => withBulkhead(async () => 1, { attempts: 3 } as never),
    ],
  ])('%s', (message, bad) => {
    expect(bad).toThrow(expect.objectContaining({ code: 'configuration_invalid', message, details: [message] }));
  });
});

test('an option that is undefined is its default', () => {
  const breaker = createCircuitBreaker({ threshold: undefined, recoveryMs: 5 } as never);
  expect(breaker.status()).toMatchObject({ ...breakerDefaults, recoveryMs: 5 });
});

test('the options of the caller are not written to', () => {
  const options = Object.freeze({ retry: Object.freeze({ attempts: 2 }), breaker: Object.freeze({ threshold: 3 }) });
  expect(createPolicy(options).breaker!.status().threshold).toBe(3);
});

test('no queue limit and no limit on waits are said with Infinity', () => {
  expect(() => createBulkhead({ maxQueued: Infinity, maxQueueMs: Infinity })).not.toThrow();
  expect(() => createAdaptiveConcurrency({ maxQueued: Infinity })).not.toThrow();
});

test('whatever has no name is called default, in errors and announcements too', async () => {
  const clock = createFakeClock();
  const names: string[] = [];
  for (const channel of [callTimedOut, hedgeStarted, fallbackUsed, retryAbandoned]) {
    onTestFinished(channel.subscribe(({ name }: { name: string }) => void names.push(name)));
  }
  const failing = async (): Promise<never> => {
    throw new HoldfastError('provider_failed');
  };
  const messageOf = (run: Promise<unknown>) => run.catch((error: Error) => error.message);
  const never = () => new Promise<never>(() => {});
  const timedOut = messageOf(timeout({ timeoutMs: 5, clock })(never)(createCallContext()));
  const late = messageOf(deadline({ deadlineMs: 5, clock })(never)(createCallContext()));
  void hedge({ delayMs: 5, maxExtraPercent: 100, clock })(never)(createCallContext());
  await clock.advanceAsync(5);
  expect([await timedOut, await late]).toEqual(['default: the attempt took longer than 5 ms', 'default: the deadline of the call passed']);
  await fallback([async () => 1])(failing)(createCallContext());
  await messageOf(retry({ attempts: 1 })(failing)(createCallContext()));
  expect(names.toSorted()).toEqual(['default', 'default', 'default', 'default', 'default']);
  expect([
    createCircuitBreaker().name,
    createBulkhead().name,
    createAdaptiveConcurrency().name,
    createPolicy().name,
    createPolicy().breaker?.name,
  ]).toEqual(['default', 'default', 'default', 'default', 'default']);
});
