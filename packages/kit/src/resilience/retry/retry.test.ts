import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../errors/index.ts';
import { createFakeClock } from '../../testing/index.ts';
import { Cancellation, type Random } from '../../time/index.ts';
import { createCallContext } from '../call-context.ts';
import { retryAbandoned, retryScheduled, type RetryAbandoned, type RetryScheduled } from '../events.ts';
import type { Operation } from '../policy.ts';
import { httpRetryDefaults, llmRetryDefaults, retry, type RetryOptions } from './index.ts';

const chance = (value: number): Random => ({ next: () => value, bytes: (length) => Buffer.alloc(length) });
const unavailable = () => new HoldfastError('provider_failed');

/** Fails as told, then answers `ok`; knows when it was called. */
function target(clock: { monotonic(): number }, failures: readonly unknown[]) {
  const calledAt: number[] = [];
  const attempts: number[] = [];
  const operation: Operation<string> = async (context) => {
    calledAt.push(clock.monotonic());
    attempts.push(context.attempt);
    if (calledAt.length <= failures.length) throw failures[calledAt.length - 1];
    return 'ok';
  };
  return { calledAt, attempts, operation };
}

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

async function runAll(options: RetryOptions, failures: readonly unknown[], random = chance(0.999_999)) {
  const clock = createFakeClock();
  const { calledAt, attempts, operation } = target(clock, failures);
  const run = outcome(retry({ clock, random, budgetPercent: Number.POSITIVE_INFINITY, ...options })(operation)(createCallContext()));
  await clock.advanceAsync(1_000_000);
  expect(clock.pendingTimers).toBe(0);
  return { calledAt: calledAt.map(Math.round), attempts, result: await run };
}

describe('waits', () => {
  test('are by default those of HTTP: four attempts, from 100 ms, doubling', async () => {
    const { calledAt, attempts, result } = await runAll({}, [unavailable(), unavailable(), unavailable()]);
    expect(calledAt).toEqual([0, 100, 300, 700]);
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(result).toEqual({ value: 'ok' });
  });

  test('stop at the cap', async () => {
    const { calledAt } = await runAll({ attempts: 9 }, Array.from({ length: 8 }, unavailable));
    expect(calledAt.slice(5).map((at, index) => at - calledAt[index + 4]!)).toEqual([1_600, 3_200, 5_000, 5_000]);
  });

  test('of model calls: three attempts, from 1 s', async () => {
    const { calledAt } = await runAll(llmRetryDefaults, Array.from({ length: 9 }, unavailable));
    expect(calledAt).toEqual([0, 1_000, 3_000]);
    expect(llmRetryDefaults).toEqual({
      attempts: 3,
      backoff: 'exponential',
      firstDelayMs: 1_000,
      factor: 2,
      maxDelayMs: 30_000,
      jitter: 'full',
    });
    expect(httpRetryDefaults).toEqual({
      attempts: 4,
      backoff: 'exponential',
      firstDelayMs: 100,
      factor: 2,
      maxDelayMs: 5_000,
      jitter: 'full',
    });
  });

  test('grow evenly when linear, and are none when immediate', async () => {
    const failures = [unavailable(), unavailable(), unavailable()];
    expect((await runAll({ backoff: 'linear' }, failures)).calledAt).toEqual([0, 100, 300, 600]);
    expect((await runAll({ backoff: 'immediate' }, failures)).calledAt).toEqual([0, 0, 0, 0]);
  });

  test('are anything from nothing to all of it with full jitter, and all of it without', async () => {
    const failures = [unavailable(), unavailable()];
    expect((await runAll({}, failures, chance(0))).calledAt).toEqual([0, 0, 0]);
    expect((await runAll({}, failures, chance(0.5))).calledAt).toEqual([0, 50, 150]);
    expect((await runAll({ jitter: 'none' }, failures, chance(0))).calledAt).toEqual([0, 100, 300]);
  });
});

describe('what is retried', () => {
  test.each([
    ['a permanent failure', new HoldfastError('provider_rejected_request')],
    ['a content filter', new HoldfastError('content_filtered')],
    ['refused credentials', new HoldfastError('provider_auth_failed')],
    ['a target that was silent', new HoldfastError('first_token_timeout')],
    ['an open breaker', new HoldfastError('circuit_open')],
    ['an error that says nothing', new Error('boom')],
    ['something that is no error', 'boom'],
  ])('not %s: it is passed on as it is, after one attempt', async (_what, failure) => {
    const { calledAt, result } = await runAll({}, [failure]);
    expect(calledAt).toEqual([0]);
    expect((result as { error: unknown }).error).toBe(failure);
  });

  test('whatever the classifier of the user says', async () => {
    const { calledAt } = await runAll({ classify: () => 'transient', backoff: 'immediate' }, ['boom', 'boom']);
    expect(calledAt).toHaveLength(3);
  });

  test('also what an operation throws at once', async () => {
    const clock = createFakeClock();
    let calls = 0;
    const run = retry({ clock, backoff: 'immediate' })((): Promise<string> => {
      if (calls++ === 0) throw unavailable();
      return Promise.resolve('ok');
    })(createCallContext());
    await clock.advanceAsync(10);
    expect(await run).toBe('ok');
  });

  test('the last failure is the one that is told', async () => {
    const failures = [unavailable(), unavailable(), unavailable(), new HoldfastError('provider_overloaded')];
    const { result } = await runAll({}, failures);
    expect((result as { error: unknown }).error).toBe(failures[3]);
  });

  test('nothing once a part of the answer is out', async () => {
    const clock = createFakeClock();
    let calls = 0;
    const failure = new HoldfastError('stream_cut');
    const run = outcome(
      retry({ clock })(async (context) => {
        calls++;
        expect(context.commit()).toBe(true);
        throw failure;
      })(createCallContext()),
    );
    await clock.advanceAsync(10_000);
    expect(await run).toEqual({ error: failure });
    expect(calls).toBe(1);
  });
});

describe('Retry-After', () => {
  const throttled = (retryAfterSeconds: number) => new HoldfastError('provider_rate_limited', { retryAfterSeconds });

  test('is a lower bound, with the jitter on top of it', async () => {
    expect((await runAll({}, [throttled(7)], chance(0))).calledAt).toEqual([0, 7_000]);
    expect((await runAll({}, [throttled(7)], chance(0.5))).calledAt).toEqual([0, 7_050]);
  });

  test('is kept when timers fire early', async () => {
    const fake = createFakeClock();
    // As Node's do: up to a millisecond.
    const clock = {
      ...fake,
      monotonic: () => fake.monotonic(),
      setTimeout: (run: () => void, ms: number) => fake.setTimeout(run, Math.max(0, ms - 0.9)),
    };
    const { calledAt, operation } = target(clock, [throttled(1)]);
    const run = retry({ clock, random: chance(0) })(operation)(createCallContext());
    await fake.advanceAsync(2_000);
    expect(await run).toBe('ok');
    expect(calledAt[1]).toBeGreaterThanOrEqual(1_000);
  });

  test('that does not fit in the deadline gives the target up at once', async () => {
    const clock = createFakeClock();
    const failure = throttled(10);
    const { calledAt, operation } = target(clock, [failure]);
    const run = outcome(retry({ clock })(operation)(createCallContext({ deadlineAt: 10_000 })));
    await clock.advanceAsync(0);
    expect(await run).toEqual({ error: failure });
    expect(calledAt).toEqual([0]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('that just fits is waited for, with jitter that leaves time for an answer', async () => {
    const clock = createFakeClock();
    const { calledAt, operation } = target(clock, [throttled(10)]);
    const run = retry({ clock, random: chance(0.999_999) })(operation)(createCallContext({ deadlineAt: 10_100 }));
    await clock.advanceAsync(11_000);
    expect(await run).toBe('ok');
    expect(calledAt[1]).toBe(10_050);
  });
});

describe('the deadline', () => {
  test('is not waited for: a back-off that reaches it ends the call at once', async () => {
    const clock = createFakeClock();
    const { calledAt, operation } = target(clock, [unavailable(), unavailable()]);
    const run = outcome(retry({ clock, jitter: 'none' })(operation)(createCallContext({ deadlineAt: 300 })));
    await clock.advanceAsync(100);
    expect(await run).toHaveProperty('error.code', 'provider_failed');
    expect(calledAt).toEqual([0, 100]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the caller', () => {
  test('who gives up in a back-off has an answer at once, and nothing more is sent', async () => {
    const clock = createFakeClock();
    const cancellation = new Cancellation();
    const { calledAt, operation } = target(clock, [unavailable()]);
    const run = outcome(retry({ clock, jitter: 'none' })(operation)(createCallContext({ cancellation })));
    await clock.advanceAsync(50);
    cancellation.cancel('gone');
    expect(await run).toEqual({ error: 'gone' });
    expect(clock.pendingTimers).toBe(0);
    await clock.advanceAsync(1_000);
    expect(calledAt).toEqual([0]);
  });

  test('who gave up during an attempt is not tried for again', async () => {
    const clock = createFakeClock();
    const cancellation = new Cancellation();
    let calls = 0;
    const run = outcome(
      retry({ clock })(async () => {
        calls++;
        cancellation.cancel('gone');
        throw unavailable();
      })(createCallContext({ cancellation })),
    );
    await clock.advanceAsync(10_000);
    expect(await run).toHaveProperty('error');
    expect(calls).toBe(1);
  });
});

describe('the budget', () => {
  test('of a quiet target is three retries in a window, then failures are passed on', async () => {
    const clock = createFakeClock();
    let calls = 0;
    const guarded = retry({ clock, backoff: 'immediate' })(async () => {
      calls++;
      throw unavailable();
    });
    for (let call = 0; call < 5; call++) {
      const run = outcome(guarded(createCallContext()));
      await clock.advanceAsync(1);
      await run;
    }
    expect(calls).toBe(5 + 3);
    await clock.advanceAsync(10_000);
    void outcome(guarded(createCallContext()));
    await clock.advanceAsync(1);
    expect(calls).toBe(8 + 1 + 3);
  });
});

describe('announcements', () => {
  test('tell each retry with its wait, and why there was no other', async () => {
    const scheduled: RetryScheduled[] = [];
    const abandoned: RetryAbandoned[] = [];
    onTestFinished(retryScheduled.subscribe((message) => void scheduled.push(message)));
    onTestFinished(retryAbandoned.subscribe((message) => void abandoned.push(message)));
    const failure = unavailable();
    await runAll({ name: 'search', attempts: 2, jitter: 'none' }, [failure, failure]);
    expect(scheduled).toEqual([{ name: 'search', attempt: 1, delayMs: 100, cause: 'transient', error: failure }]);
    expect(abandoned).toEqual([{ name: 'search', attempts: 2, reason: 'attempts', cause: 'transient', error: failure }]);
  });

  test.each([
    ['cause', {}, {}, 'content_filtered'],
    ['attempts', { attempts: 1 }, {}, 'provider_failed'],
    ['budget', { budgetMinPerWindow: 0 }, {}, 'provider_failed'],
    ['deadline', { jitter: 'none' }, { deadlineAt: 100 }, 'provider_failed'],
    ['retry_after', {}, { deadlineAt: 1_000 }, 'provider_rate_limited'],
  ] as const)('name %s as the reason', async (reason, options, context, code) => {
    const clock = createFakeClock();
    const reasons: string[] = [];
    onTestFinished(retryAbandoned.subscribe((message) => void reasons.push(message.reason)));
    const { operation } = target(clock, [new HoldfastError(code, code === 'provider_rate_limited' ? { retryAfterSeconds: 1 } : {})]);
    await outcome(retry({ clock, ...options })(operation)(createCallContext(context)));
    expect(reasons).toEqual([reason]);
  });
});

describe('who is told what', () => {
  async function ended(options: RetryOptions, operation: Operation<string>, context = createCallContext()) {
    const scheduled: number[] = [];
    const abandoned: unknown[] = [];
    onTestFinished(retryScheduled.subscribe(({ delayMs }) => void scheduled.push(delayMs)));
    onTestFinished(retryAbandoned.subscribe(({ reason, attempts }) => void abandoned.push([reason, attempts])));
    const clock = createFakeClock();
    const run = outcome(retry({ clock, random: chance(0), ...options })(operation)(context));
    await clock.advanceAsync(1_000_000);
    return { scheduled, abandoned, result: await run };
  }
  const failing: Operation<string> = async () => {
    throw unavailable();
  };

  test('a retry at once waits 0 ms', async () => {
    const { scheduled, abandoned } = await ended({ backoff: 'immediate', attempts: 3 }, failing);
    expect([scheduled, abandoned]).toEqual([[0, 0], [['attempts', 3]]]);
  });

  test('an answer of which a part is out is not asked for again', async () => {
    const { abandoned } = await ended({}, async (context) => {
      context.commit();
      throw unavailable();
    });
    expect(abandoned).toEqual([['committed', 1]]);
  });

  test('nothing is announced for a caller who has gone', async () => {
    const cancellation = new Cancellation();
    const { scheduled, abandoned, result } = await ended(
      {},
      async () => {
        cancellation.cancel('gone');
        throw unavailable();
      },
      createCallContext({ cancellation }),
    );
    expect([scheduled, abandoned, result]).toEqual([[], [], { error: expect.objectContaining({ code: 'provider_failed' }) }]);
  });

  test.each([
    ['in seconds', (seconds: number, _nowMs: number) => new HoldfastError('provider_rate_limited', { retryAfterSeconds: seconds })],
    [
      'with a date',
      (seconds: number, nowMs: number) =>
        Object.assign(new Error('answered'), { status: 429, headers: { 'retry-after': new Date(nowMs + seconds * 1_000).toUTCString() } }),
    ],
  ])('a target that asks for more than it may is given up, %s', async (_how, error) => {
    const asking = (seconds: number): Operation<string> => {
      const nowMs = createFakeClock().now();
      return async () => {
        throw error(seconds, nowMs);
      };
    };
    expect((await ended({ maxRetryAfterMs: 2_000, attempts: 2 }, asking(3))).abandoned).toEqual([['retry_after', 1]]);
    const within = await ended({ maxRetryAfterMs: 2_000, attempts: 2 }, asking(2));
    expect([within.scheduled, within.abandoned]).toEqual([[2_000], [['attempts', 2]]]);
  });

  test('its calls earn the budget', async () => {
    const clock = createFakeClock();
    const reasons: unknown[] = [];
    onTestFinished(retryAbandoned.subscribe(({ reason, attempts }) => void reasons.push([reason, attempts])));
    const guarded = retry({ clock, backoff: 'immediate', attempts: 2, budgetPercent: 50, budgetMinPerWindow: 0 })(failing);
    for (let call = 0; call < 4; call++) await outcome(guarded(createCallContext()));
    // Half a retry for each call: with every second one there is a whole.
    expect(reasons).toEqual([
      ['budget', 1],
      ['attempts', 2],
      ['budget', 1],
      ['attempts', 2],
    ]);
  });
});
