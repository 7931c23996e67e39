import { HoldfastError } from '@holdfast/kit/errors';
import { createCallContext, createCircuitBreaker } from '@holdfast/kit/resilience';
import { createRedisBreakerStore, type RedisBreakerClient, type RedisBreakerSubscriptions } from '@holdfast/kit/resilience/redis';
import { createFakeClock } from '@holdfast/kit/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis, type TestRedisClient } from '../../../../test/support/redis.ts';
import { withScriptClock } from '../support/redis-clock.ts';
import { subscriptionsOf } from '../support/redis-subscriptions.ts';

// Whatever happens to instances and Redis in whatever order: what all of them agree on in the end, and what never happens meanwhile.

const size = 3;
type Step =
  | { readonly kind: 'calls'; readonly who: number; readonly ok: boolean; readonly count: number }
  | { readonly kind: 'together'; readonly ok: boolean }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'open' | 'close' | 'cut' | 'restore'; readonly who: number }
  | { readonly kind: 'flush' };

const who = fc.nat(size - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('calls' as const), who, ok: fc.boolean(), count: fc.constantFrom(1, 5) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('together' as const), ok: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(100, 600, 11_000, 61_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'restore' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('open' as const, 'close' as const), who }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'flush' as const }) },
);

describe.skipIf(lacks('redis-server'))('a fleet on one Redis', () => {
  let redis: TestRedis;
  let client: TestRedisClient;
  let subscriber: TestRedisClient;
  let subscriptions: RedisBreakerSubscriptions;
  beforeAll(async () => {
    redis = await startTestRedis();
    client = await redis.connect();
    subscriber = await redis.connect();
    subscriptions = await subscriptionsOf(subscriber);
  });
  afterAll(() => redis?.stop());

  function fleet() {
    const clock = createFakeClock();
    let atTarget = 0;
    let mostAtOpenTarget = 0;
    const instances = Array.from({ length: size }, () => {
      let cut = false;
      const states = new Set<(connected: boolean) => void>();
      const inner = withScriptClock(client, () => clock.now());
      const guard = async <T>(run: () => Promise<T>): Promise<T> => {
        if (cut) throw new Error('cut off');
        return run();
      };
      const own: RedisBreakerClient = {
        evalSha: (sha1, options) => guard(() => inner.evalSha(sha1, options)),
        eval: (text, options) => guard(() => inner.eval(text, options)),
      };
      const store = createRedisBreakerStore({
        client: own,
        subscriptions: {
          subscribe: (channel, listener) => subscriptions.subscribe(channel, (message) => void (cut || listener(message))),
          get connected() {
            return !cut;
          },
          onStateChange(listener) {
            states.add(listener);
            return () => void states.delete(listener);
          },
        },
        clock,
        timeoutMs: 1e9,
      });
      const breaker = createCircuitBreaker({ name: 'target', store, clock });
      return {
        breaker,
        store,
        get cut() {
          return cut;
        },
        setCut(next: boolean) {
          if (cut === next) return;
          cut = next;
          for (const listener of states) listener(!cut);
        },
      };
    });
    /** Until everything that was asked has its answer, and everything announced was heard. */
    async function settle(): Promise<void> {
      for (let turn = 0; turn < 4; turn++) {
        await client.ping();
        await subscriber.ping();
        await new Promise((resolve) => void setImmediate(resolve));
      }
    }
    async function call(index: number, ok: boolean): Promise<void> {
      const { breaker } = instances[index]!;
      const probes = breaker.state !== 'closed';
      await breaker
        .policy(async () => {
          atTarget++;
          if (probes) mostAtOpenTarget = Math.max(mostAtOpenTarget, atTarget);
          await settle();
          atTarget--;
          if (!ok) throw new HoldfastError('provider_failed');
        })(createCallContext())
        .catch(() => {});
    }
    return { clock, instances, settle, call, probesAtOnce: () => mostAtOpenTarget };
  }

  test('agrees in the end whatever happened, obeys the one operator who spoke, and probes once at a time while nobody is cut off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        await client.flushAll();
        const { clock, instances, settle, call, probesAtOnce } = fleet();
        const words: string[] = [];
        let whole = true;
        let flushed = false;
        await settle();
        for (const each of steps) {
          switch (each.kind) {
            case 'calls':
              for (let at = 0; at < each.count; at++) await call(each.who, each.ok);
              break;
            case 'together': {
              const open = instances.every(({ breaker }) => breaker.state !== 'closed');
              if (open) await Promise.all(instances.map((_, index) => call(index, each.ok)));
              break;
            }
            case 'pass':
              clock.advance(each.ms);
              break;
            case 'open':
            case 'close':
              words.push(each.kind);
              await instances[each.who]!.breaker[each.kind]().catch(() => {});
              break;
            case 'cut':
            case 'restore':
              instances[each.who]!.setCut(each.kind === 'cut');
              if (each.kind === 'cut') whole = false;
              break;
            case 'flush':
              // What is claimed is forgotten with all else.
              whole = false;
              flushed = true;
              await client.flushAll();
              // Redis's clock does not stand still, and what it makes anew bears another time.
              clock.advance(1);
              break;
          }
          await settle();
        }
        if (whole) expect(probesAtOnce()).toBeLessThanOrEqual(1);
        for (const instance of instances) instance.setCut(false);
        // Two audits: one to find out, one to hear what others told meanwhile.
        for (let poll = 0; poll < 3; poll++) {
          clock.advance(10_000);
          await settle();
        }
        const found = instances
          .map(({ breaker }) => breaker.status())
          .map(({ state, byHand }) => ({ state: state === 'closed' ? 'closed' : 'open', byHand }));
        expect(new Set(found.map(({ state }) => state)).size, JSON.stringify(found)).toBe(1);
        // Where Redis forgot his word, an instance that was cut off and never heard it may be the first to tell what it found.
        if (words.join() === 'open' && !flushed) expect(found).toEqual(found.map(() => ({ state: 'open', byHand: true })));
        for (const { store, breaker } of instances) {
          breaker.dispose();
          store.close();
        }
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
