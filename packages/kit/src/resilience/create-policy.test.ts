import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../errors/index.ts';
import { createFakeClock, createSeededRandom } from '../testing/index.ts';
import { compose, createBulkhead, createCircuitBreaker, createPolicy, policyOrder, type Policy } from './index.ts';

const unavailable = () => new HoldfastError('provider_failed');
const never = () => new Promise<never>(() => {});

test('policies compose from the outside in, and back in reverse', async () => {
  const seen: string[] = [];
  const layer =
    (name: string): Policy =>
    (next) =>
    async (context) => {
      seen.push(`${name} in`);
      const value = await next(context);
      seen.push(`${name} out`);
      return value;
    };
  const { execute } = { execute: compose(layer('a'), layer('b'))(async () => seen.push('work')) };
  await execute(undefined as never);
  expect(seen).toEqual(['a in', 'b in', 'work', 'b out', 'a out']);
  expect(await compose()(async () => 'bare')(undefined as never)).toBe('bare');
});

describe('a composed policy', () => {
  test('has retry and breaker unless it is told otherwise, in the one order', () => {
    expect(policyOrder).toEqual(['deadline', 'retry', 'hedge', 'breaker', 'bulkhead', 'adaptive', 'timeout']);
    expect(createPolicy().layers).toEqual(['deadline', 'retry', 'breaker']);
    expect(createPolicy({ retry: false, breaker: false }).layers).toEqual(['deadline']);
    expect(createPolicy({ deadlineMs: 9, timeoutMs: 5, hedge: true, bulkhead: true, adaptive: true }).layers).toEqual(policyOrder);
  });

  test('hands its options to its parts, and what they share to all of them', async () => {
    const clock = createFakeClock();
    const seen: unknown[] = [];
    const policy = createPolicy({
      name: 'search',
      clock,
      retry: false,
      breaker: { threshold: 2 },
      bulkhead: { maxConcurrent: 7 },
      adaptive: { initialLimit: 3, windowMs: 1, minSamples: 1, algorithm: 'aimd' },
      classify: (error) => (seen.push(error), 'throttled'),
    });
    expect([policy.name, policy.breaker!.name, policy.bulkhead!.name, policy.adaptive!.name]).toEqual(
      Array.from({ length: 4 }, () => 'search'),
    );
    expect([policy.breaker!.status().threshold, policy.bulkhead!.status().limit, policy.adaptive!.status().limit]).toEqual([2, 7, 3]);
    const run = policy
      .execute(async () => {
        clock.advance(5);
        throw new Error('own');
      })
      .catch(() => {});
    await run;
    // Once by the breaker and once by the adaptive limit, which takes a tenth away.
    expect([seen.length, policy.adaptive!.status().limit]).toEqual([2, 2]);
  });

  test('holds no slot in a back-off, and counts each attempt at the breaker', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({ clock, retry: { jitter: 'none' }, bulkhead: { maxConcurrent: 1, maxQueued: 0 } });
    const failing = policy.execute(() => Promise.reject(unavailable())).catch((error: unknown) => error);
    await clock.advanceAsync(50);
    expect(policy.bulkhead!.status().inUse).toBe(0);
    expect(await policy.execute(() => 'meanwhile')).toBe('meanwhile');
    await clock.advanceAsync(1_000);
    await failing;
    expect(policy.breaker!.status().totals).toMatchObject({ succeeded: 1, failed: 4 });
  });

  test('leaves a target whose breaker is open at once', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({ clock, breaker: { threshold: 2 }, retry: { attempts: 10, jitter: 'none' } });
    let sent = 0;
    const run = policy
      .execute(() => {
        sent++;
        throw unavailable();
      })
      .catch((error: { code: string }) => error.code);
    await clock.advanceAsync(10_000);
    expect(await run).toBe('provider_failed');
    expect(policy.breaker!.status().totals).toMatchObject({ failed: 2, refused: 1 });
    expect(sent).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not count the wait for a slot as time of the attempt', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({ clock, timeoutMs: 100, retry: false, bulkhead: { maxConcurrent: 1 } });
    const slow = (ms: number) => policy.execute(() => new Promise<string>((resolve) => void clock.setTimeout(() => resolve('ok'), ms)));
    const runs = [slow(90), slow(90)];
    await clock.advanceAsync(180);
    expect(await Promise.all(runs)).toEqual(['ok', 'ok']);
  });

  test('bounds each attempt by its limit, and all of them by the deadline', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({
      clock,
      random: createSeededRandom(1),
      deadlineMs: 250,
      timeoutMs: 100,
      breaker: false,
      retry: { backoff: 'immediate' },
    });
    const began: number[] = [];
    const run = policy
      .execute(() => {
        began.push(clock.monotonic());
        return never();
      })
      .catch((error: { code: string }) => error.code);
    await clock.advanceAsync(1_000);
    expect(began).toEqual([0, 100, 200]);
    expect(await run).toBe('deadline_exceeded');
    expect(clock.pendingTimers).toBe(0);
  });

  test('sets one timer for deadline and attempt together, and one for a deadline alone', async () => {
    for (const timeoutMs of [100, 9_000, undefined]) {
      const clock = createFakeClock();
      const policy = createPolicy({ clock, deadlineMs: 1_000, ...(timeoutMs !== undefined && { timeoutMs }) });
      expect(await policy.execute((context) => [clock.pendingTimers, context.deadlineAt])).toEqual([1, 1_000]);
      expect(clock.pendingTimers).toBe(0);
    }
  });

  test('takes the earlier deadline of its own and the caller’s', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({ clock, deadlineMs: 1_000, timeoutMs: 100 });
    expect(await policy.execute((context) => context.deadlineAt, { deadlineAt: 300 })).toBe(300);
    expect(await policy.execute((context) => context.deadlineAt, { deadlineAt: 3_000 })).toBe(1_000);
    expect(await createPolicy({ clock, timeoutMs: 100 }).execute((context) => context.deadlineAt, { deadlineAt: 3_000 })).toBe(3_000);
  });

  test('ends a wait for a slot at the deadline, which is no failure of the target', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({
      clock,
      deadlineMs: 100,
      timeoutMs: 5_000,
      retry: false,
      breaker: { threshold: 1 },
      bulkhead: { maxConcurrent: 1 },
    });
    const held = policy.execute(never, { deadlineAt: 50 }).catch(() => {});
    const other = createPolicy({
      clock,
      deadlineMs: 10,
      timeoutMs: 5_000,
      retry: false,
      breaker: { threshold: 1 },
      bulkhead: policy.bulkhead!,
    });
    const queued = other.execute(never).catch((error: { code: string }) => error.code);
    await clock.advanceAsync(10);
    expect(await queued).toBe('deadline_exceeded');
    expect(other.breaker!.state).toBe('closed');
    await clock.advanceAsync(100);
    await held;
    expect(clock.pendingTimers).toBe(0);
    expect(policy.bulkhead!.status()).toMatchObject({ inUse: 0, queued: 0 });
  });

  test('hands the signal to the bottom, aborts it with the caller’s, and leaves nothing behind', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({
      clock,
      deadlineMs: 1_000,
      timeoutMs: 500,
      hedge: { delayMs: 50, maxExtraPercent: 100 },
      bulkhead: true,
      adaptive: true,
    });
    const controller = new AbortController();
    const inner: AbortSignal[] = [];
    const run = policy
      .execute(
        ({ signal }) => {
          inner.push(signal);
          return never();
        },
        { signal: controller.signal },
      )
      .catch((error: unknown) => error);
    await clock.advanceAsync(100);
    controller.abort('gone');
    expect(await run).toBe('gone');
    await clock.advanceAsync(0);
    expect(inner.map((signal) => [signal.aborted, signal.reason])).toEqual([
      [true, 'gone'],
      [true, 'gone'],
    ]);
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(policy.bulkhead!.status().inUse).toBe(0);
    expect(policy.adaptive!.status().inUse).toBe(0);
    expect(policy.breaker!.status()).toMatchObject({ state: 'closed', totals: { failed: 0 } });
  });

  test('gives slot and probe back at once also when the work does not listen and has no limit of its own', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({ clock, bulkhead: true, retry: false, breaker: { threshold: 1, recoveryMs: 10 } });
    await policy.execute(() => Promise.reject(unavailable())).catch(() => {});
    clock.advance(10);
    const controller = new AbortController();
    const run = policy.execute(never, { signal: controller.signal }).catch((error: unknown) => error);
    controller.abort('gone');
    expect(await run).toBe('gone');
    expect(policy.bulkhead!.status().inUse).toBe(0);
    expect(await policy.execute(() => 'probe')).toBe('probe');
    expect(policy.breaker!.state).toBe('closed');
  });

  test('takes model calls’ numbers by a word', async () => {
    const clock = createFakeClock();
    const policy = createPolicy({ clock, retry: 'llm', breaker: false });
    let sent = 0;
    const run = policy
      .execute(() => {
        sent++;
        throw unavailable();
      })
      .catch(() => {});
    await clock.advanceAsync(60_000);
    await run;
    expect(sent).toBe(3);
  });

  test('shares breaker and bulkhead that it is handed', async () => {
    const breaker = createCircuitBreaker({ threshold: 1 });
    const bulkhead = createBulkhead({ maxConcurrent: 1, maxQueued: 0 });
    const one = createPolicy({ breaker, bulkhead, retry: false });
    const two = createPolicy({ breaker, bulkhead, retry: false });
    const held = one.execute(never);
    void held;
    await expect(two.execute(() => 'ok')).rejects.toMatchObject({ code: 'concurrency_limited' });
    await breaker.open();
    await expect(two.execute(() => 'ok')).rejects.toMatchObject({ code: 'circuit_open' });
    expect(two.breaker).toBe(breaker);
  });

  test('is one behaviour among others', async () => {
    const clock = createFakeClock();
    const inner = createPolicy({ clock, retry: { attempts: 2, backoff: 'immediate' }, breaker: false });
    const outer = createPolicy({ clock, retry: { attempts: 2, backoff: 'immediate' }, breaker: false });
    let sent = 0;
    const run = compose(
      outer.policy,
      inner.policy,
    )(async () => {
      sent++;
      throw unavailable();
    });
    const { createCallContext } = await import('./call-context.ts');
    const done = run(createCallContext()).catch(() => {});
    await clock.advanceAsync(10);
    await done;
    expect(sent).toBe(4);
  });
});
