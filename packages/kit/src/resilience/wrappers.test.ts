import { getEventListeners } from 'node:events';
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../errors/index.ts';
import { createFakeClock } from '../testing/index.ts';
import {
  createBulkhead,
  createCircuitBreaker,
  createPolicy,
  fallbackUsed,
  withAdaptiveConcurrency,
  withBulkhead,
  withCircuitBreaker,
  withDeadline,
  withFallback,
  withHedge,
  withPolicy,
  withRetry,
  withTimeout,
  type Bulkhead,
  type CircuitBreaker,
  type ComposedPolicy,
} from './index.ts';

const unavailable = () => new HoldfastError('provider_failed');

describe('types', () => {
  async function plain(id: number, options?: { readonly deep: boolean }): Promise<string> {
    return `${id} ${options?.deep}`;
  }
  async function generic<Value>(value: Value): Promise<Value[]> {
    return [value];
  }
  function overloaded(id: number): Promise<'number'>;
  function overloaded(id: string): Promise<'string'>;
  async function overloaded(id: number | string): Promise<string> {
    return typeof id;
  }
  class OwnPromise<T> extends Promise<T> {
    raw(): number {
      return 1;
    }
  }

  test('of the function are kept, optional parameters, type parameters and overloads too', () => {
    expectTypeOf(withRetry(plain)).toEqualTypeOf<typeof plain>();
    expectTypeOf(withTimeout(generic, 5)('text')).toEqualTypeOf<Promise<string[]>>();
    expectTypeOf(withHedge(overloaded)).toEqualTypeOf<typeof overloaded>();
    expectTypeOf(withDeadline(plain, 5)).toEqualTypeOf<typeof plain>();
    expectTypeOf(withFallback(plain, [plain])).toEqualTypeOf<typeof plain>();
    expectTypeOf(withCircuitBreaker(plain)).toEqualTypeOf<typeof plain & { readonly breaker: CircuitBreaker }>();
    expectTypeOf(withBulkhead(plain)).toEqualTypeOf<typeof plain & { readonly bulkhead: Bulkhead }>();
    expectTypeOf(withPolicy(plain)).toEqualTypeOf<typeof plain & { readonly policy: ComposedPolicy }>();
    expectTypeOf(createPolicy().wrap(generic)(7)).toEqualTypeOf<Promise<number[]>>();
  });

  test('of what returns no plain promise become a promise of the same', () => {
    expectTypeOf(withRetry((id: number) => `${id}`)).toEqualTypeOf<(id: number) => Promise<string>>();
    expectTypeOf(withRetry((id: number) => OwnPromise.resolve(id) as OwnPromise<number>)).toEqualTypeOf<(id: number) => Promise<number>>();
  });

  test('of what `execute` returns are those of the work', () => {
    expectTypeOf(createPolicy().execute(() => 7)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(createPolicy().execute(async ({ signal }) => signal.aborted)).toEqualTypeOf<Promise<boolean>>();
  });
});

describe('a wrapped function', () => {
  test('gets its arguments and its `this` as they are, keeps its name, and promises what it returned', async () => {
    const seen: unknown[] = [];
    function sum(this: unknown, ...numbers: number[]): number {
      seen.push(this, numbers);
      return numbers.reduce((total, number) => total + number, 0);
    }
    const holder = { sum: withRetry(sum) };
    expect(await holder.sum(1, 2, 3)).toBe(6);
    expect(seen).toEqual([holder, [1, 2, 3]]);
    expect(holder.sum.name).toBe('sum');
    // As of any function: whoever names it anew may.
    expect(Object.getOwnPropertyDescriptor(holder.sum, 'name')?.configurable).toBe(true);
  });

  test('gets in place of a signal among its arguments the one of the attempt', async () => {
    const clock = createFakeClock();
    const { signal } = new AbortController();
    const seen: AbortSignal[] = [];
    const never = () => new Promise<never>(() => {});
    const alone = withTimeout((_url: string, given: AbortSignal) => (seen.push(given), never()), { timeoutMs: 10, clock });
    const inOptions = withTimeout((_url: string, init: { method: string; signal: AbortSignal }) => (seen.push(init.signal), never()), {
      timeoutMs: 10,
      clock,
    });
    const init = Object.freeze({ method: 'GET', signal });
    const runs = [alone('/', signal), inOptions('/', init)].map((run) => run.catch((error: { code: string }) => error.code));
    await clock.advanceAsync(10);
    expect(await Promise.all(runs)).toEqual(['operation_timeout', 'operation_timeout']);
    expect(seen.map((each) => [each === signal, each.aborted])).toEqual([
      [false, true],
      [false, true],
    ]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('is given up when the caller’s signal is aborted, also in a back-off', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const failing = withRetry(
      async (_options: { signal: AbortSignal }): Promise<never> => {
        throw unavailable();
      },
      { clock, jitter: 'none' },
    );
    const run = failing({ signal: controller.signal }).catch((error: unknown) => error);
    await clock.advanceAsync(50);
    controller.abort('gone');
    expect(await run).toBe('gone');
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('gets a request object as it is, and is given up by its signal', async () => {
    const controller = new AbortController();
    const request = new Request('http://localhost/', { signal: controller.signal });
    let seen: Request | undefined;
    const run = withRetry((given: Request) => {
      seen = given;
      return new Promise<never>(() => {});
    })(request).catch((error: unknown) => error);
    controller.abort('gone');
    expect(await run).toBe('gone');
    expect(seen).toBe(request);
  });

  test('is handed a signal where it says that it takes one', async () => {
    const clock = createFakeClock();
    const load = async (id: number, options: { signal?: AbortSignal } = {}) => {
      await new Promise((_resolve, reject) => options.signal!.addEventListener('abort', () => reject(options.signal!.reason as Error)));
      return id;
    };
    const guarded = withTimeout(load, { timeoutMs: 10, clock, passSignal: ([id, options], signal) => [id, { ...options, signal }] });
    const run = guarded(7).catch((error: { code: string }) => error.code);
    await clock.advanceAsync(10);
    expect(await run).toBe('operation_timeout');
    const whole = withPolicy(load, {
      timeoutMs: 10,
      clock,
      retry: false,
      passSignal: ([id, options], signal) => [id, { ...options, signal }],
    });
    const again = whole(7).catch((error: { code: string }) => error.code);
    await clock.advanceAsync(10);
    expect(await again).toBe('operation_timeout');
  });

  test.each([undefined, null, 7, 'text', Object.assign(() => 1, { signal: new AbortController().signal })])(
    'gets an argument that holds no signal of a caller as it is: %s',
    async (argument) => {
      expect(await withRetry((given: unknown) => given)(argument)).toBe(argument);
    },
  );

  test('finds the signal wherever it is among the arguments, also in an object without a prototype', async () => {
    const { signal } = new AbortController();
    const bare = Object.assign(Object.create(null) as { signal: AbortSignal; deep: boolean }, { signal, deep: true });
    const seen = await withRetry((first: AbortSignal, _second: number, third: { signal: AbortSignal; deep: boolean }) => [
      first,
      third.signal,
    ])(signal, 2, bare);
    expect(seen.map((each) => each === signal)).toEqual([false, true]);
    const [alone] = await withRetry((_first: number, second: { signal: AbortSignal; deep: boolean }) => [second])(1, bare);
    expect([alone!.signal === signal, alone!.signal instanceof AbortSignal, alone!.deep]).toEqual([false, true, true]);
  });
});

describe('in one line', () => {
  test('withRetry tries again', async () => {
    let calls = 0;
    const flaky = withRetry(
      async (name: string) => {
        if (++calls < 3) throw unavailable();
        return `hello ${name}`;
      },
      { backoff: 'immediate' },
    );
    expect(await flaky('you')).toBe('hello you');
    expect(calls).toBe(3);
  });

  test('withCircuitBreaker refuses after five failures, and takes a breaker that exists', async () => {
    const load = async (): Promise<string> => {
      throw unavailable();
    };
    const guarded = withCircuitBreaker(load);
    for (let at = 0; at < 5; at++) await guarded().catch(() => {});
    await expect(guarded()).rejects.toMatchObject({ code: 'circuit_open' });
    expect(guarded.breaker.status()).toMatchObject({ name: 'load', state: 'open' });

    const breaker = createCircuitBreaker({ name: 'shared' });
    expect(withCircuitBreaker(load, breaker).breaker).toBe(breaker);
  });

  test('withTimeout and withDeadline take a number', async () => {
    await expect(withTimeout(async () => 'quick', 1_000)()).resolves.toBe('quick');
    await expect(withDeadline(async () => 'quick', 1_000)()).resolves.toBe('quick');
    const never = () => new Promise<never>(() => {});
    await expect(withTimeout(never, 1)()).rejects.toMatchObject({ code: 'operation_timeout' });
    await expect(withDeadline(never, 1)()).rejects.toMatchObject({ code: 'deadline_exceeded' });
    const clock = createFakeClock();
    const run = withDeadline(never, { deadlineMs: 50, clock })().catch((error: { code: string }) => error.code);
    await clock.advanceAsync(50);
    expect(await run).toBe('deadline_exceeded');
  });

  test('each is named after its function, and called default where that has no name', async () => {
    const names: unknown[] = [];
    onTestFinished(fallbackUsed.subscribe(({ name }) => void names.push(name)));
    const load = async (): Promise<never> => {
      throw unavailable();
    };
    await withFallback(load, [async () => 1 as never])();
    await withFallback(load, [async () => 1 as never], { name: 'own' })();
    expect(names).toEqual(['load', 'own']);
    const nameless = [async () => 1][0]!;
    expect(nameless.name).toBe('');
    expect([withCircuitBreaker(nameless).breaker.name, withCircuitBreaker(load).breaker.name]).toEqual(['default', 'load']);
    expect([withPolicy(nameless).policy.name, withBulkhead(load, { name: 'own' }).bulkhead.name]).toEqual(['default', 'own']);
  });

  test('withHedge sends a second request', async () => {
    const clock = createFakeClock();
    let calls = 0;
    const slow = withHedge(() => (++calls === 1 ? new Promise<string>(() => {}) : Promise.resolve('second')), {
      clock,
      delayMs: 10,
      maxExtraPercent: 100,
    });
    const run = slow();
    await clock.advanceAsync(10);
    expect(await run).toBe('second');
  });

  test('withBulkhead and withAdaptiveConcurrency bound what runs, and take one that exists', async () => {
    const never = () => new Promise<never>(() => {});
    const narrow = withBulkhead(never, { maxConcurrent: 1, maxQueued: 0 });
    void narrow();
    await expect(narrow()).rejects.toMatchObject({ code: 'concurrency_limited' });
    expect(narrow.bulkhead.status().inUse).toBe(1);
    const bulkhead = createBulkhead();
    expect(withBulkhead(never, bulkhead).bulkhead).toBe(bulkhead);

    const adaptive = withAdaptiveConcurrency(never, { initialLimit: 1, maxQueued: 0 });
    void adaptive();
    await expect(adaptive()).rejects.toMatchObject({ code: 'concurrency_limited' });
    expect(adaptive.adaptive.status()).toEqual({ limit: 1, inUse: 1, queued: 0 });
    expect(withAdaptiveConcurrency(never, adaptive.adaptive).adaptive).toBe(adaptive.adaptive);
  });

  test('withFallback asks the alternatives with the same arguments', async () => {
    const load = withFallback(
      async (id: number): Promise<string> => {
        throw new HoldfastError('provider_failed', { detail: `${id}` });
      },
      [(id: number) => `cached ${id}`],
    );
    expect(await load(7)).toBe('cached 7');
  });

  test('withFallback ends when the caller has gone', async () => {
    const controller = new AbortController();
    let asked = 0;
    const load = withFallback((_signal: AbortSignal): Promise<string> => new Promise(() => {}), [async () => `asked ${(asked += 1)}`]);
    const run = load(controller.signal).catch((error: unknown) => error);
    controller.abort('gone');
    expect(await run).toBe('gone');
    expect(asked).toBe(0);
  });

  test('withPolicy has it all, and takes a policy that exists', async () => {
    const load = async (id: number) => id * 2;
    const guarded = withPolicy(load, { timeoutMs: 1_000, bulkhead: true });
    expect(await guarded(4)).toBe(8);
    expect(guarded.policy.name).toBe('load');
    expect(guarded.policy.layers).toEqual(['deadline', 'retry', 'breaker', 'bulkhead', 'timeout']);
    const policy = createPolicy({ name: 'shared' });
    expect(withPolicy(load, policy).policy).toBe(policy);
  });
});
