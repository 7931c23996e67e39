import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError, type ErrorCode } from '../../errors/index.ts';
import { createFakeClock, createSeededRandom } from '../../testing/index.ts';
import { Cancellation } from '../../time/index.ts';
import { createCallContext } from '../call-context.ts';
import { callRejected, concurrencyLimitChanged, type CallRejected, type ConcurrencyLimitChanged } from '../events.ts';
import { pause } from '../pause.ts';
import { createAdaptiveConcurrency, type AdaptiveOptions } from './index.ts';
import { Aimd, Gradient } from './limit-algorithm.ts';

const bounds = { initialLimit: 20, minLimit: 2, maxLimit: 100 };

describe('AIMD', () => {
  test('adds one when at least half the limit was used, and nothing when not', () => {
    const limit = new Aimd(bounds);
    limit.update({ meanMs: 10, maxInFlight: 10, dropped: false });
    expect(limit.limit).toBe(21);
    limit.update({ meanMs: 10, maxInFlight: 10, dropped: false });
    expect(limit.limit).toBe(21);
  });

  test('takes a tenth away after a drop, down to the minimum, and stays below the maximum', () => {
    const limit = new Aimd(bounds);
    limit.update({ meanMs: undefined, maxInFlight: 20, dropped: true });
    expect(limit.limit).toBeCloseTo(18);
    for (let at = 0; at < 100; at++) limit.update({ meanMs: 10, maxInFlight: 20, dropped: true });
    expect(limit.limit).toBe(2);
    for (let at = 0; at < 200; at++) limit.update({ meanMs: 10, maxInFlight: 100, dropped: false });
    expect(limit.limit).toBe(100);
  });
});

describe('the gradient', () => {
  const update = (limit: Gradient, meanMs: number | undefined, maxInFlight = limit.limit, dropped = false) =>
    limit.update({ meanMs, maxInFlight, dropped });

  test('grows by its queue while answers take as long as ever', () => {
    const limit = new Gradient(bounds);
    update(limit, 100);
    // 20 × 0.8 + (20 × 1 + 4) × 0.2
    expect(limit.limit).toBeCloseTo(20.8);
  });

  test('shrinks as answers get slower, by at most what half the gradient takes', () => {
    const limit = new Gradient(bounds);
    for (let at = 0; at < 10; at++) update(limit, 100);
    const before = limit.limit;
    update(limit, 1_000);
    // before × 0.8 + (before × 0.5 + 4) × 0.2
    expect(limit.limit).toBeCloseTo(before * 0.9 + 0.8);
  });

  test('learns from a window that used half the limit', () => {
    const limit = new Gradient(bounds);
    update(limit, 100, 10);
    expect(limit.limit).toBeCloseTo(20.8);
  });

  const stepOf = (limit: number, gradient: number) => limit * 0.8 + (limit * gradient + 4) * 0.2;

  test('compares with a plain mean of the first ten windows, and with one over six hundred after', () => {
    const limit = new Gradient({ ...bounds, maxLimit: 10_000 });
    for (let at = 0; at < 9; at++) update(limit, 100);
    const before = limit.limit;
    update(limit, 110);
    expect(limit.limit).toBeCloseTo(stepOf(before, 101 / 110), 9);
    const after = limit.limit;
    update(limit, 120);
    expect(limit.limit).toBeCloseTo(stepOf(after, (101 + 19 * (2 / 601)) / 120), 9);
    const slower = limit.limit;
    update(limit, 200);
    const longMeanMs = 101 + 19 * (2 / 601);
    expect(limit.limit).toBeCloseTo(stepOf(slower, (longMeanMs + (200 - longMeanMs) * (2 / 601)) / 200), 9);
  });

  test('forgets a past that was twice as slow a tenth at a time', () => {
    const limit = new Gradient({ ...bounds, maxLimit: 10_000 });
    for (let at = 0; at < 10; at++) update(limit, 1_000);
    update(limit, 100);
    const longMeanMs = (1_000 - 900 * (2 / 601)) * 0.9;
    const before = limit.limit;
    update(limit, 1_000);
    expect(limit.limit).toBeCloseTo(stepOf(before, (longMeanMs + (1_000 - longMeanMs) * (2 / 601)) / 1_000), 9);
  });

  test('learns nothing from a window that traffic kept small, and nothing from one without an answer', () => {
    const limit = new Gradient(bounds);
    update(limit, 100, 9);
    update(limit, undefined);
    update(limit, 0);
    expect(limit.limit).toBe(20);
  });

  test('takes a tenth away after a drop', () => {
    const limit = new Gradient(bounds);
    update(limit, 1, 20, true);
    expect(limit.limit).toBeCloseTo(18);
  });

  test('recovers when answers are quick again after a long slow time', () => {
    const limit = new Gradient(bounds);
    for (let at = 0; at < 300; at++) update(limit, 1_000);
    for (let at = 0; at < 60; at++) update(limit, 100);
    expect(limit.limit).toBe(100);
  });
});

describe('adaptive concurrency', () => {
  function setUp(options: AdaptiveOptions = {}) {
    const clock = createFakeClock();
    const adaptive = createAdaptiveConcurrency({ name: 'search', clock, windowMs: 100, minSamples: 5, ...options });
    const call = (durationMs: number, error?: Error, cancellation = new Cancellation()) =>
      adaptive
        .policy(async (context) => {
          await pause(clock, durationMs, context.cancellation);
          if (error) throw error;
        })(createCallContext({ cancellation }))
        .catch(() => {});
    const wave = async (count: number, durationMs: number, error?: Error) => {
      const runs = Array.from({ length: count }, () => call(durationMs, error));
      await clock.advanceAsync(durationMs);
      await Promise.all(runs);
    };
    return { clock, adaptive, call, wave };
  }

  test('finds the number of calls that a target answers without queueing', async () => {
    const clock = createFakeClock();
    const adaptive = createAdaptiveConcurrency({ clock, windowMs: 200, minSamples: 10, initialLimit: 10, maxLimit: 200, maxQueued: 1_000 });
    const random = createSeededRandom(7);
    // Thirty at a time take 50 ms; more share what there is.
    let busy = 0;
    const guarded = adaptive.policy(async (context) => {
      busy++;
      const durationMs = 50 * Math.max(1, busy / 30) * (0.95 + random.next() / 10);
      await pause(clock, durationMs, context.cancellation);
      busy--;
    });
    let open = true;
    const client = async () => {
      while (open) await guarded(createCallContext());
    };
    const clients = Array.from({ length: 150 }, client);
    await clock.advanceAsync(20_000);
    const found = adaptive.status().limit;
    open = false;
    await clock.advanceAsync(20_000);
    await Promise.all(clients);
    expect(found).toBeGreaterThanOrEqual(25);
    expect(found).toBeLessThanOrEqual(75);
    expect(adaptive.status()).toMatchObject({ inUse: 0, queued: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  test.each<ErrorCode>(['provider_rate_limited', 'provider_overloaded', 'operation_timeout', 'first_token_timeout'])(
    'takes %s as a sign of overload',
    async (code) => {
      const { adaptive, wave } = setUp();
      await wave(20, 100, new HoldfastError(code));
      expect(adaptive.status().limit).toBe(18);
    },
  );

  test.each([
    new HoldfastError('provider_rejected_request'),
    new HoldfastError('client_closed'),
    new HoldfastError('provider_failed'),
    new Error('boom'),
    Object.assign(new Error('answered'), { status: 500 }),
  ])('takes %s as no sign of anything', async (error) => {
    const { adaptive, wave } = setUp();
    await wave(20, 100, error);
    expect(adaptive.status().limit).toBe(20);
  });

  test.each([429, 503, 529])('takes status %d of any client as a sign of overload', async (status) => {
    const { adaptive, wave } = setUp({ algorithm: 'aimd' });
    await wave(20, 100, Object.assign(new Error('answered'), { status }));
    expect(adaptive.status().limit).toBe(18);
  });

  test('does not count calls that were given up, unless a deadline ended them', async () => {
    const { clock, adaptive, call } = setUp({ algorithm: 'aimd' });
    const end = async (reason: unknown) => {
      const cancellations = Array.from({ length: 20 }, () => new Cancellation());
      const runs = cancellations.map((cancellation) => call(1_000, undefined, cancellation));
      await clock.advanceAsync(100);
      for (const cancellation of cancellations) cancellation.cancel(reason);
      await Promise.all(runs);
    };
    await end(new Error('gone'));
    expect(adaptive.status().limit).toBe(20);
    await end(new HoldfastError('deadline_exceeded'));
    expect(adaptive.status().limit).toBe(18);
  });

  test('takes whatever the classifier calls slow or throttled as a sign, and nothing that was given up', async () => {
    for (const [cause, expected] of [
      ['slow', 18],
      ['throttled', 18],
      ['transient', 20],
    ] as const) {
      const { adaptive, wave } = setUp({ classify: () => cause });
      await wave(20, 100, new Error('boom'));
      expect(adaptive.status().limit).toBe(expected);
    }
    const clock = createFakeClock();
    const adaptive = createAdaptiveConcurrency({ clock, windowMs: 1, minSamples: 1 });
    const cancellation = new Cancellation();
    const run = adaptive
      .policy(
        (context) =>
          new Promise<never>((_resolve, reject) => {
            context.cancellation.onCancel(() => reject(new HoldfastError('provider_overloaded')));
          }),
      )(createCallContext({ cancellation }))
      .catch(() => {});
    clock.advance(100);
    cancellation.cancel(new HoldfastError('client_closed'));
    await run;
    expect(adaptive.status().limit).toBe(20);
  });

  test('waits for as many samples as it was told, however long the window is over', async () => {
    const { adaptive, wave } = setUp({ algorithm: 'aimd', initialLimit: 4, minSamples: 5 });
    await wave(4, 300);
    expect(adaptive.status().limit).toBe(4);
    await wave(1, 1);
    expect(adaptive.status().limit).toBe(5);
  });

  test('refuses in its own name', async () => {
    const seen: CallRejected[] = [];
    onTestFinished(callRejected.subscribe((message) => void seen.push(message)));
    const { clock, adaptive, call } = setUp({ initialLimit: 1, maxQueued: 1, maxQueueMs: 50 });
    void call(1_000);
    void call(1_000);
    const refused = adaptive
      .policy(async () => 'never')(createCallContext())
      .catch((error: Error) => error.message);
    expect(await refused).toBe('search: 1 calls under way (limit 1), 1 waiting: queue_full');
    await clock.advanceAsync(2_000);
    expect(seen).toEqual([
      { name: 'search', policy: 'adaptive', reason: 'queue_full' },
      { name: 'search', policy: 'adaptive', reason: 'queue_timeout' },
    ]);
  });

  test('looks when the window is over and enough was seen, and announces what it changes', async () => {
    const seen: ConcurrencyLimitChanged[] = [];
    onTestFinished(concurrencyLimitChanged.subscribe((message) => void seen.push(message)));
    const { adaptive, wave } = setUp({ algorithm: 'aimd' });
    await wave(20, 60);
    expect(adaptive.status().limit).toBe(20);
    await wave(4, 60);
    expect(adaptive.status().limit).toBe(21);
    await wave(4, 200);
    expect(adaptive.status().limit).toBe(21);
    expect(seen).toEqual([{ name: 'search', from: 20, to: 21 }]);
  });

  test('lets those who wait in at once when the limit grows', async () => {
    const { clock, adaptive, call } = setUp({ algorithm: 'aimd', initialLimit: 2, minSamples: 1, windowMs: 1 });
    const runs = [call(10), call(1_000), call(1_000), call(1_000)];
    await clock.advanceAsync(10);
    expect(adaptive.status()).toEqual({ limit: 3, inUse: 3, queued: 0 });
    await clock.advanceAsync(2_000);
    await Promise.all(runs);
  });
});
