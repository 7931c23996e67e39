import { HoldfastError } from '@holdfast/kit/errors';
import { createCallContext, createCircuitBreaker, type CircuitBreaker, type SharedBreakerState } from '@holdfast/kit/resilience';
import { breakerStoreContract } from '@holdfast/kit/resilience/contract';
import { createRedisBreakerStore, type RedisBreakerClient, type RedisBreakerStoreOptions } from '@holdfast/kit/resilience/redis';
import { createFakeClock, type FakeClock } from '@holdfast/kit/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis, type TestRedisClient } from '../../../../test/support/redis.ts';
import { withScriptClock } from '../support/redis-clock.ts';
import { subscriptionsOf } from '../support/redis-subscriptions.ts';

const soon = { timeout: 4_000, interval: 5 };
const failure = () => new HoldfastError('provider_failed');

describe.skipIf(lacks('redis-server'))('states of breakers in Redis', () => {
  let redis: TestRedis;
  let client: TestRedisClient;
  let subscriber: TestRedisClient;
  let subscriptions: Awaited<ReturnType<typeof subscriptionsOf>>;
  let ends: (() => void)[];
  beforeAll(async () => {
    redis = await startTestRedis();
    client = await redis.connect();
    subscriber = await redis.connect();
    subscriptions = await subscriptionsOf(subscriber);
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    ends = [];
    await client.flushAll();
  });
  afterEach(() => {
    for (const end of ends) end();
  });

  describe.each([
    ['announced', true],
    ['asked for', false],
  ])('the contract, with changes that are %s', (_how, announced) => {
    const cases = breakerStoreContract(async () => {
      await client.flushAll();
      const clock = createFakeClock();
      const stores: { close(): void }[] = [];
      return {
        connect() {
          const store = createRedisBreakerStore({
            client: withScriptClock(client, () => clock.now()),
            ...(announced && { subscriptions }),
            clock,
            // Hours pass in one step, and Redis answers in none of them.
            timeoutMs: 1e9,
          });
          stores.push(store);
          return store;
        },
        advance: (elapsedMs) => clock.advance(elapsedMs),
        async delivered() {
          for (let turn = 0; turn < 3; turn++) {
            if (!announced) clock.advance(500);
            // Whoever asked has its answer before these, and what was announced came before the answer.
            await client.ping();
            await subscriber.ping();
            await new Promise((resolve) => void setImmediate(resolve));
          }
        },
        async close() {
          for (const store of stores) store.close();
          // What was asked last still has its limit of time.
          await expect.poll(() => clock.pendingTimers, soon).toBe(0);
        },
      };
    });
    for (const { name, run } of cases) test(name, run);
  });

  /** One instance of a fleet: a store and a clock of its own. Redis's clock stands still unless `at` moves it. */
  function instance(options: Partial<RedisBreakerStoreOptions> = {}, clock: FakeClock = createFakeClock()) {
    const calls: string[] = [];
    const inner = options.client ?? client;
    const counted: RedisBreakerClient = {
      evalSha: (sha1, given) => (calls.push(sha1), inner.evalSha(sha1, given)),
      eval: (text, given) => inner.eval(text, given),
    };
    const store = createRedisBreakerStore({ subscriptions, clock, ...options, client: counted });
    ends.push(() => store.close());
    const breaker = (name = 'openai/gpt-4o', more = {}) => createCircuitBreaker({ name, store, clock, ...more });
    return { clock, store, breaker, calls };
  }

  function call(breaker: CircuitBreaker, result: unknown = 'ok'): Promise<unknown> {
    return breaker
      .policy(async () => {
        if (result instanceof Error) throw result;
        return result;
      })(createCallContext())
      .catch((error: { code?: string }) => error.code ?? error);
  }
  async function fail(breaker: CircuitBreaker, times = 5): Promise<void> {
    for (let at = 0; at < times; at++) await call(breaker, failure());
  }
  const isIn = (breaker: CircuitBreaker, state: string) => expect.poll(() => breaker.state, soon).toBe(state);

  test('a thousand calls of a closed breaker ask Redis nothing', async () => {
    const one = instance();
    const breaker = one.breaker();
    await expect.poll(() => one.calls.length, soon).toBeGreaterThanOrEqual(2);
    await client.ping();
    const before = one.calls.length;
    for (let at = 0; at < 1_000; at++) await call(breaker, at % 4 === 0 ? failure() : 'ok');
    expect(one.calls.length).toBe(before);
  });

  test('a fleet opens together and closes together by a single probe, whoever makes it', async () => {
    const fleet = Array.from({ length: 5 }, () => instance());
    const breakers = fleet.map((each) => each.breaker());
    await fail(breakers[0]!);
    for (const breaker of breakers) await isIn(breaker, 'open');
    for (const { clock } of fleet) clock.advance(60_000);
    let sent = 0;
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const calls = breakers.map((breaker) =>
      breaker
        .policy(async () => {
          sent++;
          await finished;
        })(createCallContext())
        .then(
          () => 'ok',
          (error: { code: string }) => error.code,
        ),
    );
    await expect.poll(() => sent, soon).toBe(1);
    await client.ping();
    finish();
    expect((await Promise.all(calls)).toSorted()).toEqual(['circuit_open', 'circuit_open', 'circuit_open', 'circuit_open', 'ok']);
    expect(sent).toBe(1);
    for (const breaker of breakers) await isIn(breaker, 'closed');
  });

  test('a prober that died keeps the others from probing only as long as its lease, by the clock of Redis', async () => {
    const redisClock = createFakeClock();
    const common = { client: withScriptClock(client, () => redisClock.now()) };
    const [dead, living] = [instance(common), instance(common)];
    const [first, second] = [dead.breaker(), living.breaker()];
    await fail(first);
    await isIn(second, 'open');
    for (const { clock } of [dead, living]) clock.advance(60_000);
    void first.policy(() => new Promise<never>(() => {}))(createCallContext());
    await expect.poll(() => first.state, soon).toBe('half_open');
    dead.store.close();
    expect(await call(second)).toBe('circuit_open');
    redisClock.advance(59_000);
    living.clock.advance(1_000);
    expect(await call(second)).toBe('circuit_open');
    redisClock.advance(1_001);
    living.clock.advance(1_000);
    expect(await call(second)).toBe('ok');
  });

  test('a release that comes after the lease does not take the claim of the next', async () => {
    const redisClock = createFakeClock();
    const common = { client: withScriptClock(client, () => redisClock.now()) };
    const [late, next] = [instance(common).store, instance(common).store];
    expect(await late.claimProbe('x', 1, 1_000)).toBe(true);
    redisClock.advance(1_001);
    expect(await next.claimProbe('x', 1, 60_000)).toBe(true);
    await late.releaseProbe('x', 1);
    expect(await late.claimProbe('x', 1, 60_000)).toBe(false);
  });

  test('an instance that has missed a change gets no probe for what is no more, and learns of it', async () => {
    const [one, two] = [instance({ subscriptions: undefined }), instance({ subscriptions: undefined })];
    const seen: SharedBreakerState[] = [];
    two.store.watch(
      'x',
      (state) => void seen.push(state),
      () => {},
    );
    await one.store.publish('x', { generation: 2, state: 'open', recoveryMs: 0, byHand: false });
    expect(await two.store.claimProbe('x', 1, 60_000)).toBe(false);
    await expect.poll(() => seen.at(-1)?.generation, soon).toBe(2);
  });

  test('where nothing is announced, others hear within the time of a poll', async () => {
    const [one, two] = [instance({ subscriptions: undefined }), instance({ subscriptions: undefined })];
    const [first, second] = [one.breaker(), two.breaker()];
    await expect.poll(() => two.calls.length, soon).toBeGreaterThanOrEqual(2);
    await fail(first);
    await expect.poll(async () => (await two.clock.advanceAsync(100), second.state), soon).toBe('open');
    expect(two.clock.monotonic()).toBeLessThanOrEqual(5_000);
  });

  test('a change that got lost on the channel is found by the audit', async () => {
    const deaf = { ...subscriptions, connected: true, subscribe: () => () => {} };
    const [one, two] = [instance(), instance({ subscriptions: deaf })];
    const [first, second] = [one.breaker(), two.breaker()];
    await expect.poll(() => two.calls.length, soon).toBeGreaterThanOrEqual(2);
    await client.ping();
    await fail(first);
    await two.clock.advanceAsync(9_000);
    expect(second.state).toBe('closed');
    await expect.poll(async () => (await two.clock.advanceAsync(500), second.state), soon).toBe('open');
  });

  test('an operator opens and closes for all, and the time that he gave ends for all', async () => {
    const [one, two] = [instance(), instance()];
    const [first, second] = [one.breaker(), two.breaker()];
    await first.open();
    await isIn(second, 'open');
    expect(second.status()).toMatchObject({ byHand: true, probeInMs: Number.POSITIVE_INFINITY });
    two.clock.advance(10_000_000);
    expect(await call(second)).toBe('circuit_open');
    await second.close();
    await isIn(first, 'closed');
    await first.open({ recoveryMs: 5_000 });
    await isIn(second, 'open');
    two.clock.advance(5_000);
    expect(await call(second)).toBe('ok');
    await isIn(first, 'closed');
  });

  test('other installations on the same server do not hear each other', async () => {
    const other = await redis.connect();
    await other.select(5);
    const [one, two] = [instance(), instance({ client: other })];
    const [first, second] = [one.breaker(), two.breaker()];
    await fail(second);
    await fail(first, 4);
    await client.ping();
    expect([first.state, second.state]).toEqual(['closed', 'open']);
    await fail(first, 1);
    expect(first.state).toBe('open');
  });

  test('nothing that anybody publishes on the channel breaks an instance', async () => {
    const { breaker } = instance();
    const mine = breaker();
    for (const text of ['', '{', '[]', 'null', '["x","openai/gpt-4o",1e9,"open",-1,"1"]', '[1,2,3]', '"x"'])
      await client.publish('holdfast:breaker:changes', text);
    await subscriber.ping();
    await fail(mine);
    expect(mine.state).toBe('open');
  });

  test('every key ends by itself but for what an operator opened for good', async () => {
    const { store } = instance();
    await store.publish('a', { generation: 1, state: 'open', recoveryMs: 60_000, byHand: false });
    await store.publish('b', { generation: 1, state: 'closed', recoveryMs: 0, byHand: false });
    await store.publish('c', { generation: 1, state: 'open', recoveryMs: Number.POSITIVE_INFINITY, byHand: true });
    await store.claimProbe('a', 1, 60_000);
    const keys = (await client.keys('*')).toSorted();
    expect(keys.every((key) => key.startsWith('{holdfast:breaker}:'))).toBe(true);
    const endless = [];
    for (const key of keys) if ((await client.pTTL(key)) < 0) endless.push(key);
    expect(endless).toEqual(['{holdfast:breaker}:s:c']);
    await store.publish('c', { generation: 2, state: 'closed', recoveryMs: 0, byHand: true });
    expect(await client.pTTL('{holdfast:breaker}:s:c')).toBeGreaterThan(0);
  });

  test('the names that are remembered are bounded', async () => {
    const { store } = instance({ maxNames: 10 });
    for (let at = 0; at < 30; at++) await store.publish(`n${at}`, { generation: 1, state: 'open', recoveryMs: 1, byHand: false });
    expect(await client.zCard('{holdfast:breaker}:changes')).toBe(10);
  });
});

describe.skipIf(lacks('redis-server'))('a Redis that fails', () => {
  let redis: TestRedis;
  let client: TestRedisClient;
  let ends: (() => void)[];
  beforeEach(async () => {
    redis = await startTestRedis();
    client = await redis.connect();
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends) end();
    await redis.stop();
  });

  async function instance() {
    const clock = createFakeClock();
    const own = await redis.connect();
    const subscriptions = await subscriptionsOf(await redis.connect());
    const store = createRedisBreakerStore({ client: own, subscriptions, clock });
    ends.push(() => store.close());
    const failures: unknown[] = [];
    const breaker = createCircuitBreaker({ name: 'x', store, clock });
    store.watch(
      'x',
      () => {},
      (error) => void failures.push(error),
    );
    await expect.poll(() => own.isReady, soon).toBe(true);
    return { clock, own, store, breaker, failures };
  }
  type Instance = Awaited<ReturnType<typeof instance>>;
  async function call(breaker: CircuitBreaker, error?: Error): Promise<unknown> {
    return breaker
      .policy(async () => {
        if (error) throw error;
        return 'ok';
      })(createCallContext())
      .catch((thrown: { code?: string }) => thrown.code ?? thrown);
  }
  async function fail(breaker: CircuitBreaker): Promise<void> {
    for (let at = 0; at < 5; at++) await call(breaker, failure());
  }
  /** Lets time pass at all instances until what is asked for has come true. */
  const until = (fleet: readonly Instance[], read: () => unknown, expected: unknown) =>
    expect
      .poll(async () => {
        for (const { clock } of fleet) await clock.advanceAsync(100);
        return read();
      }, soon)
      .toEqual(expected);

  test('killed: each goes on by itself, is told once, and all agree again when it is back, though it comes back empty', async () => {
    const fleet = [await instance(), await instance(), await instance()];
    const [one, two, three] = fleet as [Instance, Instance, Instance];
    await fail(one.breaker);
    await until([], () => fleet.map(({ breaker }) => breaker.state), ['open', 'open', 'open']);
    await redis.kill();
    await until(fleet, () => fleet.map(({ failures }) => failures.length), [1, 1, 1]);
    for (const { clock } of fleet) clock.advance(60_000);
    // With nobody to ask, one probe an instance: here it succeeds, there it fails, and the third has had no call.
    expect(await call(one.breaker)).toBe('ok');
    expect(await call(two.breaker, failure())).toBe('provider_failed');
    expect([one.breaker.state, two.breaker.state, three.breaker.state]).toEqual(['closed', 'open', 'half_open']);
    await redis.restart();
    await until(fleet, () => new Set(fleet.map(({ breaker }) => breaker.state)).size, 1);
    expect(fleet.map(({ failures }) => failures.length)).toEqual([1, 1, 1]);
    // And what comes after is shared as ever.
    await until(fleet, () => fleet.every(({ own }) => own.isReady), true);
    await one.breaker.close();
    // They may have been closed before: what they have to have heard is that an operator said so.
    await until(fleet, () => fleet.map(({ breaker }) => breaker.state === 'closed' && breaker.status().byHand), [true, true, true]);
    await fail(two.breaker);
    await until([], () => fleet.map(({ breaker }) => breaker.state), ['open', 'open', 'open']);
  });

  test('killed: what an operator says meanwhile goes before what other instances did meanwhile', async () => {
    const [one, two] = [await instance(), await instance()] as const;
    await fail(one.breaker);
    await until([], () => two.breaker.state, 'open');
    await redis.kill();
    await expect.poll(() => one.own.isReady || two.own.isReady, soon).toBe(false);
    await expect(one.breaker.open()).rejects.toThrow();
    expect(one.breaker.status().byHand).toBe(true);
    // The other changes more often, so that its count is the higher.
    for (let round = 0; round < 3; round++) {
      two.clock.advance(60_000);
      expect(await call(two.breaker)).toBe('ok');
      await fail(two.breaker);
    }
    two.clock.advance(60_000);
    expect(await call(two.breaker)).toBe('ok');
    await redis.restart();
    await until([one, two], () => [one, two].map(({ breaker }) => [breaker.state, breaker.status().byHand]), [
      ['open', true],
      ['open', true],
    ]);
    await two.breaker.close();
    await until([one, two], () => one.breaker.state, 'closed');
  });

  test('flushed without a word: those who live tell it again', async () => {
    const [one, two] = [await instance(), await instance()] as const;
    await one.breaker.open();
    await until([], () => two.breaker.state, 'open');
    await client.flushAll();
    await until([one, two], () => one.clock.monotonic() > 10_000, true);
    const three = await instance();
    await until([one, two, three], () => three.breaker.status().byHand, true);
  });

  test('slow: nobody waits longer than the limit for leave to probe', async () => {
    const [one, two] = [await instance(), await instance()] as const;
    await fail(one.breaker);
    await until([], () => two.breaker.state, 'open');
    for (const { clock } of [one, two]) clock.advance(60_000);
    redis.pause();
    const probe = call(one.breaker, new HoldfastError('content_filtered'));
    await one.clock.advanceAsync(500);
    expect(await probe).toBe('content_filtered');
    redis.goOn();
    // The probe's own end, which says that the target lives, is what the others hear.
    await until([one, two], () => two.breaker.state, 'closed');
  });

  test('slow: a claim that is granted when nobody waits for it any more is given back', async () => {
    const [one, two] = [await instance(), await instance()] as const;
    // The script is known, so that the one command that waits is the claim.
    expect(await one.store.claimProbe('y', 1, 60_000)).toBe(true);
    redis.pause();
    const claim = one.store.claimProbe('x', 1, 60_000);
    const refused = expect(claim).rejects.toMatchObject({ code: 'redis_unavailable' });
    // What waits longest is sent first: Redis grants it as soon as it goes on.
    await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
    await one.clock.advanceAsync(500);
    await refused;
    redis.goOn();
    await expect.poll(async () => two.store.claimProbe('x', 1, 60_000), soon).toBe(true);
  });

  test('a login that may not publish shares all the same: the others ask', async () => {
    await client.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>x', '~*', '+@all', 'resetchannels']);
    const clock = createFakeClock();
    const limited = await redis.connect();
    await limited.auth({ username: 'app', password: 'x' });
    const one = createRedisBreakerStore({ client: limited, clock });
    const two = createRedisBreakerStore({ client, clock });
    ends.push(one.close.bind(one), two.close.bind(two));
    const seen: number[] = [];
    two.watch(
      'x',
      ({ generation }) => void seen.push(generation),
      () => {},
    );
    await one.publish('x', { generation: 3, state: 'open', recoveryMs: 1_000, byHand: false });
    await expect.poll(async () => (await clock.advanceAsync(500), seen), soon).toEqual([3]);
  });
});
