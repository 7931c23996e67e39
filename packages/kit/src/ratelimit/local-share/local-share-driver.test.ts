import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../errors/index.ts';
import { createFakeClock, type FakeClock } from '../../testing/index.ts';
import {
  concurrency,
  createMemoryDriver,
  createRateLimiter,
  gcra,
  settlementLost,
  slidingWindow,
  storeLost,
  storeRecovered,
  withLocalShare,
  type LimitPolicy,
  type LocalShareOptions,
  type SharedRateLimitDriver,
} from '../index.ts';

/** A store in this process that several instances share, and that can go away: by saying so, or in silence. */
function createStore(clock: FakeClock) {
  let driver = createMemoryDriver({ clock });
  const instances = new Map<string, number>();
  const store = {
    away: undefined as 'error' | 'silent' | undefined,
    asked: 0,
    /** What for, in order. */
    log: [] as string[],
    onAsk: (_what: string): void => {},
    settled: 0,
    close: () => driver.close(),
    loseData() {
      driver.close();
      driver = createMemoryDriver({ clock });
    },
    connect(): SharedRateLimitDriver {
      const ask = async <T>(what: string, answer: () => T): Promise<T> => {
        store.asked += 1;
        store.log.push(what);
        store.onAsk(what);
        if (store.away === 'error') throw new HoldfastError('limiter_unavailable', { detail: 'connection refused' });
        if (store.away === 'silent') return new Promise<T>(() => {});
        return answer();
      };
      return {
        take: (takes) => ask('take', () => driver.take(takes)),
        peek: (takes) => ask('peek', () => driver.peek(takes)),
        settle: (settlements) =>
          ask(`settle ${settlements.length}`, () => ((store.settled += settlements.length), driver.settle(settlements))),
        renew: (leases) => ask(`renew ${leases.length}`, () => driver.renew(leases)),
        list: (options) => ask('list', () => driver.list(options)),
        reportInstance: (id, knownForMs) =>
          ask('report', () => {
            instances.set(id, clock.monotonic() + knownForMs);
            for (const [other, until] of instances) if (until <= clock.monotonic()) instances.delete(other);
            return instances.size;
          }),
        forgetInstance: (id) => ask('forget', () => void instances.delete(id)),
        close() {},
      };
    },
  };
  return store;
}

async function setUp(count: number, options: Partial<LocalShareOptions> = {}) {
  const clock = createFakeClock();
  const store = createStore(clock);
  const drivers = Array.from({ length: count }, (_, at) =>
    withLocalShare({ shared: store.connect(), clock, instanceId: `i${at}`, ...options }),
  );
  for (const driver of drivers) await driver.start();
  // All have heard of all.
  await clock.advanceAsync(5_000);
  const limiters = drivers.map((driver) => createRateLimiter({ driver }));
  return { clock, store, drivers, limiters };
}

const hour = 3_600_000;
const slow = gcra({ name: 'slow', limit: 100, periodMs: 1_000 * hour });
const window = slidingWindow({ name: 'window', limit: 100, windowMs: hour });

async function drain(limiter: ReturnType<typeof createRateLimiter>, policy: LimitPolicy): Promise<number> {
  let count = 0;
  while ((await limiter.take([{ policy, key: 'k' }])).allowed) count++;
  return count;
}

describe('while the store is away', () => {
  test.each([
    ['slow', slow, 4, 25],
    ['window', window, 3, 33],
    ['places', concurrency({ name: 'places', limit: 10 }), 4, 2],
    ['one each at least', slidingWindow({ name: 'few', limit: 2, windowMs: hour }), 3, 1],
  ] as const)('each instance goes on with its share: %s', async (_name, policy, count, share) => {
    const { store, limiters, drivers } = await setUp(count);
    store.away = 'error';
    for (const [at, limiter] of limiters.entries()) {
      expect(await drain(limiter, policy)).toBe(share);
      expect(drivers[at]!.state).toMatchObject({ mode: 'local', instances: count, lastError: { code: 'limiter_unavailable' } });
    }
  });

  test('the share flows at its part of the rate, not only begins with its part of the burst', async () => {
    const { clock, store, limiters } = await setUp(4);
    const flow = gcra({ name: 'flow', limit: 100, periodMs: 100_000, burst: 8 });
    store.away = 'error';
    expect(await drain(limiters[0]!, flow)).toBe(2);
    let count = 0;
    for (let second = 0; second < 40; second++) {
      await clock.advanceAsync(1_000);
      count += await drain(limiters[0]!, flow);
    }
    expect(count).toBe(10);
  });

  test('it says so once, does not ask it for each request, and comes back by itself', async () => {
    const { clock, store, drivers, limiters } = await setUp(2);
    const heard: unknown[] = [];
    onTestFinished(storeLost.subscribe(({ instanceId, instances }) => heard.push(['lost', instanceId, instances])));
    onTestFinished(storeRecovered.subscribe(({ instanceId, instances, awayMs }) => heard.push(['back', instanceId, instances, awayMs])));
    const [limiter] = limiters;
    store.away = 'error';
    store.asked = 0;
    for (let call = 0; call < 20; call++) await limiter!.take([{ policy: slow, key: 'k' }]);
    expect(store.asked).toBe(1);
    await clock.advanceAsync(2_000);
    expect([heard, store.asked]).toEqual([[['lost', 'i0', 2]], 3]);
    expect(drivers[0]!.state.sinceMs).toBe(clock.now() - 2_000);
    store.away = undefined;
    await clock.advanceAsync(1_000);
    expect(heard).toEqual([
      ['lost', 'i0', 2],
      ['back', 'i0', 2, 3_000],
    ]);
    expect(drivers.map(({ state }) => state.mode)).toEqual(['shared', 'shared']);
    // What it had decided is where it was.
    expect((await limiter!.peek([{ policy: slow, key: 'k' }])).buckets[0]!.remaining).toBe(100);
  });

  test('a store that is silent is given up after its limit, and the request is decided then', async () => {
    const { clock, store, limiters } = await setUp(2, { timeoutMs: 100 });
    store.away = 'silent';
    const pending = limiters[0]!.take([{ policy: slow, key: 'k' }]);
    await clock.advanceAsync(99);
    let decided = false;
    void Promise.resolve(pending).then(() => (decided = true));
    await clock.advanceAsync(0);
    expect(decided).toBe(false);
    await clock.advanceAsync(1);
    expect(await pending).toMatchObject({ allowed: true, buckets: [{ policy: slow, remaining: 49 }] });
  });

  test('an answer that is there when its time is over counts: a process that was held up sees the time before the answer', async () => {
    const { clock, store } = await setUp(1);
    const shared = store.connect();
    const punctual: SharedRateLimitDriver = {
      ...shared,
      take: (takes) => new Promise((resolve) => void clock.setTimeout(() => resolve(shared.take(takes)), 100)),
    };
    const driver = withLocalShare({ shared: punctual, clock, instanceId: 'busy', timeoutMs: 100 });
    const pending = driver.take([{ policy: slow, key: 'k' }]);
    await clock.advanceAsync(100);
    expect(await pending).toMatchObject({ allowed: true });
    expect(driver.state.mode).toBe('shared');
    await driver.close();
  });

  test('an instance that never reached it takes the share that it was told to assume', async () => {
    const clock = createFakeClock();
    const store = createStore(clock);
    store.away = 'error';
    const driver = withLocalShare({ shared: store.connect(), clock, instanceId: 'new', assumedInstances: 5 });
    await driver.start();
    expect(driver.state).toMatchObject({ mode: 'local', instances: 5 });
    expect(await drain(createRateLimiter({ driver }), slow)).toBe(20);
  });

  test('what is more than the share, but not more than the limit, is told to come back', async () => {
    const { store, limiters } = await setUp(2);
    store.away = 'error';
    const take = (cost: number) => limiters[0]!.take([{ policy: window, key: 'k', cost }]);
    expect(await take(60)).toMatchObject({ allowed: false, retryAfterMs: 1_000, binding: { policy: window } });
    expect(await take(101)).toMatchObject({ allowed: false, retryAfterMs: Number.POSITIVE_INFINITY });
  });

  test('what is refused here is told the wait for the share, and what is let through none', async () => {
    const { store, limiters } = await setUp(2);
    store.away = 'error';
    const flow = gcra({ name: 'flow', limit: 60, periodMs: 60_000, burst: 20 });
    const take = (cost: number) => limiters[0]!.take([{ policy: flow, key: 'k', cost }]);
    expect((await take(10)).buckets).toMatchObject([{ refused: false, retryAfterMs: 0 }]);
    // One a second for both, so one in two seconds here.
    expect(await take(3)).toMatchObject({ allowed: false, retryAfterMs: 6_000 });
    // More than this share ever holds: when the store is back there will be room, up to the whole burst.
    expect([(await take(11)).retryAfterMs, (await take(20)).retryAfterMs]).toEqual([1_000, 1_000]);
    expect((await take(21)).retryAfterMs).toBe(Number.POSITIVE_INFINITY);
  });

  test.each(['take', 'peek', 'list'] as const)('it is found out by whatever asks it first, and then not asked: %s', async (what) => {
    const { store, limiters, drivers } = await setUp(2);
    const [limiter] = limiters;
    await limiter!.take([{ policy: window, key: 'k', cost: 60 }]);
    expect(await limiter!.list()).toMatchObject([{ policy: 'window', used: 60, capacity: 100 }]);
    store.away = 'error';
    store.log = [];
    const ask = () => (what === 'list' ? limiter!.list() : limiter![what]([{ policy: window, key: 'k' }]));
    for (let again = 0; again < 3; again++) await ask();
    expect([store.log, drivers[0]!.state.mode]).toEqual([[what], 'local']);
    expect(await limiter!.list()).toEqual([]);
  });

  test('the reason is that of the last question that it did not answer', async () => {
    const { clock, store, limiters, drivers } = await setUp(1, { timeoutMs: 100 });
    store.away = 'error';
    await limiters[0]!.take([]);
    expect(drivers[0]!.state.lastError).toMatchObject({ message: 'connection refused' });
    store.away = 'silent';
    await clock.advanceAsync(1_100);
    expect(drivers[0]!.state.lastError).toMatchObject({
      code: 'limiter_unavailable',
      message: 'the store of the limits did not answer in 100 ms',
      retryAfterSeconds: 1,
    });
  });

  test('peek and list answer from here', async () => {
    const { store, limiters } = await setUp(2);
    store.away = 'error';
    expect((await limiters[0]!.peek([{ policy: window, key: 'k' }])).buckets[0]!.remaining).toBe(50);
    await limiters[0]!.take([{ policy: window, key: 'k', cost: 40 }]);
    expect(await limiters[0]!.list()).toMatchObject([{ policy: 'window', key: 'k', used: 40, capacity: 50 }]);
  });
});

describe('what was taken', () => {
  const tokens = gcra({ name: 'tokens', limit: 1_000, periodMs: 1_000 * hour, unit: 'tokens' });
  const places = concurrency({ name: 'places', limit: 2 });
  const levels = [
    { policy: tokens, key: 'k', cost: 500 },
    { policy: places, key: 'k' },
  ];
  const remaining = async (limiter: ReturnType<typeof createRateLimiter>) =>
    (await limiter.peek(levels)).buckets.map((bucket) => bucket.remaining);

  test('of the store is settled there when it is back, and not before', async () => {
    const { clock, store, limiters } = await setUp(2);
    const call = await limiters[0]!.take(levels);
    store.away = 'error';
    await limiters[0]!.peek(levels);
    await call.finish(100);
    expect(store.settled).toBe(0);
    store.away = undefined;
    await clock.advanceAsync(1_000);
    expect(await remaining(limiters[0]!)).toEqual([900, 2]);
  });

  test('here is settled here', async () => {
    const { store, limiters } = await setUp(2);
    store.away = 'error';
    const call = await limiters[0]!.take(levels);
    expect(await remaining(limiters[0]!)).toEqual([0, 0]);
    expect(await call.renew()).toBe(true);
    await call.finish(100);
    expect(await remaining(limiters[0]!)).toEqual([400, 1]);
    expect(await call.renew()).toBe(false);
  });

  test('is released again when the release got no answer; tokens are not given back twice, and that is said', async () => {
    const { clock, store, limiters } = await setUp(2);
    const lost: unknown[] = [];
    onTestFinished(settlementLost.subscribe(({ policies }) => lost.push(policies)));
    const call = await limiters[0]!.take(levels);
    store.away = 'error';
    await call.finish(100);
    expect(lost).toEqual([['tokens']]);
    store.away = undefined;
    await clock.advanceAsync(1_000);
    expect(await remaining(limiters[0]!)).toEqual([500, 2]);
  });

  test('and could not be settled while the store was away is settled in steps of 200, as far as it stays', async () => {
    const { clock, store, limiters } = await setUp(1);
    const many = concurrency({ name: 'many', limit: 1_000 });
    const calls = [];
    for (let call = 0; call < 450; call++) calls.push(await limiters[0]!.take([{ policy: many, key: 'k' }]));
    store.away = 'error';
    for (const call of calls) await call.release();
    store.away = undefined;
    store.log = [];
    store.onAsk = (what) => {
      // It goes again with the second step.
      if (what.startsWith('settle') && store.log.filter((asked) => asked.startsWith('settle')).length === 2) store.away = 'error';
    };
    await clock.advanceAsync(1_000);
    expect(store.log).toEqual(['report', 'settle 200', 'settle 200']);
    store.onAsk = () => {};
    store.away = undefined;
    store.log = [];
    await clock.advanceAsync(1_000);
    expect(store.log).toEqual(['report', 'settle 200', 'settle 50']);
    expect((await limiters[0]!.peek([{ policy: many, key: 'k' }])).buckets[0]!.remaining).toBe(1_000);
  });

  test('by a take that was answered too late is given back', async () => {
    const { clock, store, limiters } = await setUp(2, { timeoutMs: 100 });
    const shared = store.connect();
    let answer = () => {};
    const waiting = new Promise<void>((resolve) => (answer = resolve));
    const slowStore: SharedRateLimitDriver = { ...shared, take: (takes) => waiting.then(() => shared.take(takes)) };
    const driver = withLocalShare({ shared: slowStore, clock, instanceId: 'late', timeoutMs: 100 });
    const pending = driver.take(levels);
    await clock.advanceAsync(100);
    expect((await pending).allowed).toBe(true);
    expect(driver.state.mode).toBe('local');
    answer();
    await clock.advanceAsync(2_000);
    expect(driver.state.mode).toBe('shared');
    expect(await remaining(limiters[0]!)).toEqual([1_000, 2]);
    await driver.close();
  });

  test('of the store counts as held while it is away', async () => {
    const { store, limiters } = await setUp(2);
    const call = await limiters[0]!.take(levels);
    store.away = 'error';
    expect(await call.renew()).toBe(true);
  });
});

describe('a lease', () => {
  const places = concurrency({ name: 'places', limit: 2, leaseMs: 20_000 });
  const take = (limiter: ReturnType<typeof createRateLimiter>) => limiter.take([{ policy: places, key: 'k' }]);

  test('of the store is renewed there, and has ended when it says so', async () => {
    const { clock, store, limiters } = await setUp(2);
    const [held, ended] = [await take(limiters[0]!), await take(limiters[0]!)];
    await clock.advanceAsync(15_000);
    store.log = [];
    expect(await held.renew()).toBe(true);
    await clock.advanceAsync(5_000);
    expect([await held.renew(), await ended.renew()]).toEqual([true, false]);
    expect(store.log.filter((what) => what !== 'report')).toEqual(['renew 1', 'renew 1', 'renew 1']);
  });

  test('of this instance is renewed and released here, also when the store is back', async () => {
    const { clock, store, limiters, drivers } = await setUp(2);
    store.away = 'error';
    const call = await take(limiters[0]!);
    store.away = undefined;
    await clock.advanceAsync(1_000);
    expect(drivers[0]!.state.mode).toBe('shared');
    store.log = [];
    expect(await call.renew()).toBe(true);
    await call.release();
    expect([store.log, await call.renew()]).toEqual([[], false]);
  });

  test('of both is held only while both are', async () => {
    const { clock, store, drivers } = await setUp(2);
    const [driver] = drivers;
    const shared = (await driver!.take([{ policy: places, key: 'shared' }])).buckets;
    await clock.advanceAsync(10_000);
    store.away = 'error';
    const local = (await driver!.take([{ policy: places, key: 'local' }])).buckets;
    store.away = undefined;
    await clock.advanceAsync(1_000);
    expect(await driver!.renew([...shared, ...local])).toBe(true);
    await driver!.settle([{ bucket: local[0]!, actual: 0 }]);
    expect(await driver!.renew([...shared, ...local])).toBe(false);
    const again = (await driver!.take([{ policy: places, key: 'again' }])).buckets;
    expect(await driver!.renew([...again, ...shared])).toBe(true);
    await driver!.settle([{ bucket: shared[0]!, actual: 0 }]);
    expect(await driver!.renew([...again, ...shared])).toBe(false);
    // What the store cannot say does not make up for what is known to have ended here.
    store.away = 'error';
    expect([await driver!.renew([...again]), await driver!.renew([...again, ...local])]).toEqual([true, false]);
  });

  test('that cannot be renewed for want of an answer shows that the store is away', async () => {
    const { store, limiters, drivers } = await setUp(2);
    const call = await take(limiters[0]!);
    store.away = 'error';
    expect([await call.renew(), drivers[0]!.state.mode]).toEqual([true, 'local']);
  });
});

describe('an answer that comes too late', () => {
  test.each([
    ['of requests', slow, []],
    ['of tokens', gcra({ name: 'tokens', limit: 100, unit: 'tokens' }), ['settle 1']],
    ['of places', concurrency({ name: 'places', limit: 2 }), ['settle 1']],
  ] as const)('is answered with what can be given back, %s', async (_name, policy, expected) => {
    const clock = createFakeClock();
    const store = createStore(clock);
    const shared = store.connect();
    let answer = () => {};
    const late = new Promise<void>((resolve) => (answer = resolve));
    const driver = withLocalShare({
      shared: { ...shared, take: (takes) => late.then(() => shared.take(takes)) },
      clock,
      instanceId: 'late',
      timeoutMs: 100,
    });
    await driver.start();
    const pending = driver.take([{ policy, key: 'k' }]);
    await clock.advanceAsync(100);
    expect((await pending).allowed).toBe(true);
    answer();
    store.log = [];
    await clock.advanceAsync(1_000);
    expect(store.log.filter((what) => what.startsWith('settle'))).toEqual(expected);
    await driver.close();
  });

  test('of a step that was refused has nothing to give back', async () => {
    const { clock, store } = await setUp(1);
    const places = concurrency({ name: 'places', limit: 1 });
    const shared = store.connect();
    await shared.take([{ policy: places, key: 'k' }]);
    let answer = () => {};
    const late = new Promise<void>((resolve) => (answer = resolve));
    const driver = withLocalShare({
      shared: { ...shared, take: (takes) => late.then(() => shared.take(takes)) },
      clock,
      instanceId: 'late',
      timeoutMs: 100,
    });
    const pending = driver.take([{ policy: places, key: 'k' }]);
    await clock.advanceAsync(100);
    await pending;
    answer();
    store.log = [];
    await clock.advanceAsync(1_000);
    expect(store.log.filter((what) => what.startsWith('settle'))).toEqual([]);
    await driver.close();
  });
});

describe('worst case', () => {
  test('however often the store comes and goes, at most twice the limit passes; three times, when it also forgets', async () => {
    const instances = 3;
    const step = fc.record({
      elapsedMs: fc.integer({ min: 0, max: 4_000 }),
      who: fc.nat(instances - 1),
      calls: fc.integer({ min: 0, max: 60 }),
      store: fc.constantFrom('same', 'error', 'back', 'back'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60 }),
        fc.constantFrom(slow, window),
        fc.boolean(),
        async (steps, policy, forgets) => {
          const { clock, store, limiters, drivers } = await setUp(instances, { timeoutMs: 100 });
          let admitted = 0;
          let forgotten = false;
          for (const { elapsedMs, who, calls, store: change } of steps) {
            if (change === 'back') {
              if (forgets && store.away && !forgotten) {
                store.loseData();
                forgotten = true;
              }
              store.away = undefined;
            } else if (change === 'error') store.away = 'error';
            await clock.advanceAsync(elapsedMs);
            for (let call = 0; call < calls; call++) if ((await limiters[who]!.take([{ policy, key: 'k' }])).allowed) admitted++;
          }
          expect(admitted).toBeLessThanOrEqual((forgotten ? 3 : 2) * policy.limit);
          for (const driver of drivers) await driver.close();
          store.close();
          expect(clock.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is reached: the limit in the store, and each share after', async () => {
    const { store, limiters } = await setUp(4);
    let admitted = await drain(limiters[0]!, slow);
    store.away = 'error';
    for (const limiter of limiters) admitted += await drain(limiter, slow);
    expect(admitted).toBe(200);
  });
});

describe('how many share', () => {
  test('more is believed at once; fewer when it has lasted, so that a store that forgot does not make shares large', async () => {
    const { clock, drivers } = await setUp(3);
    expect(drivers.map(({ state }) => state.instances)).toEqual([3, 3, 3]);
    await drivers[2]!.close();
    await clock.advanceAsync(5_000);
    expect(drivers[0]!.state.instances).toBe(3);
    await clock.advanceAsync(20_000);
    expect(drivers[0]!.state.instances).toBe(2);
  });

  test('what was fewer before the store was lost has to last anew when it is back', async () => {
    const { clock, store, drivers } = await setUp(3);
    await drivers[2]!.close();
    // Two are reported from now on, and would be believed in 15,000 ms.
    await clock.advanceAsync(10_000);
    store.away = 'error';
    await clock.advanceAsync(20_000);
    expect(drivers[0]!.state).toMatchObject({ mode: 'local', instances: 3 });
    store.away = undefined;
    await clock.advanceAsync(5_000);
    expect(drivers[0]!.state).toMatchObject({ mode: 'shared', instances: 3 });
    await clock.advanceAsync(20_000);
    expect(drivers[0]!.state.instances).toBe(2);
  });

  test('is asked every heartbeat while all is well, and every probe while it is not', async () => {
    const { clock, store } = await setUp(1, { heartbeatMs: 5_000, probeMs: 700 });
    const recovered: unknown[] = [];
    onTestFinished(storeRecovered.subscribe((message) => recovered.push(message)));
    store.log = [];
    await clock.advanceAsync(20_000);
    expect([store.log, recovered]).toEqual([Array.from({ length: 4 }, () => 'report'), []]);
    store.away = 'error';
    await clock.advanceAsync(5_000);
    store.log = [];
    await clock.advanceAsync(7_000);
    expect(store.log).toHaveLength(10);
  });

  test('shares follow the number as it changes while the store is away', async () => {
    const { clock, store, limiters, drivers } = await setUp(2);
    store.away = 'error';
    expect((await limiters[0]!.peek([{ policy: window, key: 'k' }])).buckets[0]!.remaining).toBe(50);
    store.away = undefined;
    const more = withLocalShare({ shared: store.connect(), clock, instanceId: 'more' });
    await more.start();
    await clock.advanceAsync(6_000);
    expect(drivers[0]!.state).toMatchObject({ mode: 'shared', instances: 3 });
    store.away = 'error';
    expect((await limiters[0]!.peek([{ policy: window, key: 'k' }])).buckets[0]!.remaining).toBe(33);
  });
});

describe('closing', () => {
  test('leaves no timer and tells the store', async () => {
    const { clock, store, drivers } = await setUp(1);
    store.log = [];
    await drivers[0]!.close();
    expect([clock.pendingTimers, store.log]).toEqual([0, ['forget']]);
  });

  test('does not ask a store that is away', async () => {
    const { clock, store, drivers, limiters } = await setUp(1);
    store.away = 'error';
    await limiters[0]!.take([]);
    store.log = [];
    await drivers[0]!.close();
    expect([clock.pendingTimers, store.log]).toEqual([0, []]);
  });

  test('is done also when the store fails just then, and the reason is kept', async () => {
    const { clock, store, drivers } = await setUp(1);
    store.away = 'error';
    await drivers[0]!.close();
    expect([clock.pendingTimers, drivers[0]!.state.lastError]).toMatchObject([0, { message: 'connection refused' }]);
  });

  test.each(['answers', 'fails'])('while a sign of life is under way leaves no timer when the store then %s', async (how) => {
    const clock = createFakeClock();
    const store = createStore(clock);
    const lost: unknown[] = [];
    onTestFinished(storeLost.subscribe((message) => lost.push(message)));
    let end = () => {};
    const driver = withLocalShare({
      shared: {
        ...store.connect(),
        reportInstance: () =>
          new Promise<number>((resolve, reject) => (end = () => (how === 'answers' ? resolve(1) : reject(new Error('gone'))))),
      },
      clock,
      instanceId: 'i',
    });
    const started = driver.start();
    await driver.close();
    end();
    await started;
    expect([clock.pendingTimers, lost, driver.state.mode]).toEqual([0, [], 'shared']);
  });

  test('while the store is away says nothing of its recovery, though a probe is answered then', async () => {
    const { clock, store, drivers } = await setUp(1);
    const recovered: unknown[] = [];
    onTestFinished(storeRecovered.subscribe((message) => recovered.push(message)));
    store.away = 'error';
    await drivers[0]!.take([]);
    store.away = undefined;
    clock.advance(1_000);
    await drivers[0]!.close();
    await clock.advanceAsync(10_000);
    expect([recovered, drivers[0]!.state.mode, clock.pendingTimers]).toEqual([[], 'local', 0]);
  });

  test('leaves no timer behind a request that is decided after', async () => {
    const { clock, store, limiters, drivers } = await setUp(1);
    await drivers[0]!.close();
    store.away = 'error';
    expect((await limiters[0]!.take([{ policy: slow, key: 'k' }])).allowed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });
});

test.each([
  ['timeoutMs must be a whole number of 1 or more, not 0', { timeoutMs: 0 }],
  ['probeMs must be a whole number of 1 or more, not 0.5', { probeMs: 0.5 }],
  ['heartbeatMs must be a whole number of 1 or more, not -1', { heartbeatMs: -1 }],
  ['assumedInstances must be a whole number of 1 or more, not 0', { assumedInstances: 0 }],
  ['instanceId must not be empty', { instanceId: '' }],
])('is refused: %s', (message, options) => {
  const clock = createFakeClock();
  expect(() => withLocalShare({ shared: createStore(clock).connect(), clock, instanceId: 'i', ...options })).toThrow(
    expect.objectContaining({ code: 'configuration_invalid', message }),
  );
});
