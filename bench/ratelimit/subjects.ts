import { createRequire } from 'node:module';
import { createMemoryDriver, createRateLimiter, gcra, slidingWindow, type LimitPolicy } from '@holdfast/kit/ratelimit';
import { createRedisDriver } from '@holdfast/kit/ratelimit/redis';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { createClient } from '@redis/client';

/** The peers are installed outside of the workspaces and have no types here. */
const peers = createRequire(new URL('../peers/package.json', import.meta.url));

export interface Subject {
  readonly name: string;
  /** What it counts by: not all do as much. */
  readonly counts: string;
  /** One request of this key at all levels. True when it was let through. */
  check(key: string): boolean | Promise<boolean>;
  /** A request that the last level, whose limit is used up, refuses. Then how much of the first level it has used. */
  usedByRefusal(): Promise<number>;
  close(): Promise<unknown>;
}

const plenty = 1_000_000_000;
const minuteMs = 60_000;

/**
 * GCRA, and at six levels also a minute's and an hour's window, as the server has them. The rate is that of a real limit, so that buckets
 * stay in use between requests; the burst is so large that none refuses.
 */
function policies(levels: 1 | 6, limitOfLast = plenty): LimitPolicy[] {
  const flow = (name: string) => gcra({ name, limit: 1_000, burst: plenty });
  if (levels === 1) return [flow('ip')];
  return [
    ...['global', 'ip', 'user', 'key'].map(flow),
    slidingWindow({ name: 'organization-minute', limit: plenty, windowMs: minuteMs }),
    slidingWindow({ name: 'organization-hour', limit: limitOfLast, windowMs: 60 * minuteMs }),
  ];
}

export function holdfastInMemory(levels: 1 | 6): Subject {
  const make = (limitOfLast?: number) => ({
    limiter: createRateLimiter({ driver: createMemoryDriver({ clock: systemClock }) }),
    used: policies(levels, limitOfLast),
  });
  const { limiter, used } = make();
  return {
    name: 'Holdfast',
    counts: levels === 1 ? 'GCRA' : '4 GCRA, 2 sliding windows',
    check: (key) => limiter.take(used.map((policy) => ({ policy, key }))).allowed,
    async usedByRefusal() {
      const { limiter, used } = make(1);
      const takes = used.map((policy) => ({ policy, key: 'refused' }));
      limiter.take(takes);
      const before = limiter.peek(takes).buckets[0]!.remaining;
      if (limiter.take(takes).allowed) throw new Error('expected to be refused');
      const after = limiter.peek(takes).buckets[0]!.remaining;
      limiter.close();
      return Math.max(0, before - after);
    },
    close: async () => limiter.close(),
  };
}

export async function holdfastInRedis(levels: 1 | 6, socketPath: string): Promise<Subject> {
  const client = createClient({ socket: { path: socketPath, reconnectStrategy: false } });
  await client.connect();
  const limiter = createRateLimiter({ driver: createRedisDriver({ client, random: systemRandom }) });
  const used = policies(levels);
  return {
    name: 'Holdfast',
    counts: levels === 1 ? 'GCRA' : '4 GCRA, 2 sliding windows',
    check: async (key) => (await limiter.take(used.map((policy) => ({ policy, key })))).allowed,
    async usedByRefusal() {
      const day = (name: string, limit: number) => slidingWindow({ name, limit, windowMs: 24 * 60 * minuteMs });
      const takes = [day('first', 10), day('last', 1)].map((policy) => ({ policy, key: 'refused' }));
      await limiter.take(takes);
      const before = (await limiter.peek(takes)).buckets[0]!.remaining;
      if ((await limiter.take(takes)).allowed) throw new Error('expected to be refused');
      return before - (await limiter.peek(takes)).buckets[0]!.remaining;
    },
    close: () => client.close(),
  };
}

interface FlexibleLimiter {
  consume(key: string): Promise<unknown>;
  get(key: string): Promise<{ consumedPoints: number } | null>;
}

/** Its way to ask several: `RateLimiterUnion`, which consumes of all at once and reports those that refuse. */
export async function flexible(levels: 1 | 6, socketPath?: string): Promise<Subject> {
  const { RateLimiterMemory, RateLimiterRedis, RateLimiterUnion } = peers('rate-limiter-flexible');
  const client = socketPath === undefined ? undefined : await ioredis(socketPath);
  const make = (keyPrefix: string, points: number, duration: number): FlexibleLimiter =>
    client
      ? new RateLimiterRedis({ storeClient: client, keyPrefix, points, duration })
      : new RateLimiterMemory({ keyPrefix, points, duration });
  const limiters = policies(levels).map(({ name }) => make(name, plenty, name.endsWith('hour') ? 3_600 : 60));
  const union = limiters.length === 1 ? limiters[0]! : new RateLimiterUnion(...limiters);
  return {
    name: 'rate-limiter-flexible',
    counts: `${levels} fixed window${levels === 1 ? '' : 's'}`,
    check: (key) => (union.consume(key) as Promise<unknown>).then(() => true),
    async usedByRefusal() {
      const [first, last] = [make('first', 10, 60), make('last', 1, 60)];
      const both = new RateLimiterUnion(first, last);
      await both.consume('refused');
      const before = (await first.get('refused'))!.consumedPoints;
      await both.consume('refused').then(
        () => {
          throw new Error('expected to be refused');
        },
        () => {},
      );
      return (await first.get('refused'))!.consumedPoints - before;
    },
    close: async () => client?.quit(),
  };
}

interface FastifyStore {
  incr(key: string, done: (error: Error | null, result: { current: number }) => void, windowMs: number, max: number): void;
  read(key: string, done: (error: Error | null, result: { current: number }) => void, windowMs: number, max: number): void;
}

/** Its stores alone, without Fastify around them, which it cannot be used without: one counter a call. */
export async function fastifyRateLimit(levels: 1 | 6, cachedKeys: number, socketPath?: string): Promise<Subject> {
  const client = socketPath === undefined ? undefined : await ioredis(socketPath);
  const names = policies(levels).map(({ name }) => name);
  const make = (name: string): FastifyStore => {
    if (client) return new (peers('@fastify/rate-limit/store/RedisStore.js'))(false, false, client, `${name}-`);
    return new (peers('@fastify/rate-limit/store/LocalStore.js'))(false, false, cachedKeys);
  };
  const stores = names.map(make);
  const ask = (store: FastifyStore, how: 'incr' | 'read', key: string, max: number) =>
    new Promise<number>((resolve, reject) =>
      store[how](key, (error, result) => (error ? reject(error) : resolve(result.current)), minuteMs, max),
    );
  return {
    name: '@fastify/rate-limit (its store)',
    counts: `${levels} fixed window${levels === 1 ? '' : 's'}`,
    check: client
      ? (key) =>
          Promise.all(stores.map((store) => ask(store, 'incr', key, plenty))).then((counts) => counts.every((count) => count <= plenty))
      : (key) => {
          // In memory its store answers at once.
          let allowed = true;
          for (const store of stores)
            store.incr(key, (_error, { current }) => void (current > plenty && (allowed = false)), minuteMs, plenty);
          return allowed;
        },
    async usedByRefusal() {
      const [first, last] = [make('first'), make('last')];
      const request = async () => (await ask(first, 'incr', 'refused', 10)) <= 10 && (await ask(last, 'incr', 'refused', 1)) <= 1;
      await request();
      const before = await ask(first, 'read', 'refused', 10);
      if (await request()) throw new Error('expected to be refused');
      return (await ask(first, 'read', 'refused', 10)) - before;
    },
    close: async () => client?.quit(),
  };
}

async function ioredis(socketPath: string): Promise<{ quit(): Promise<unknown> }> {
  const { Redis } = peers('ioredis');
  return new Redis({ path: socketPath });
}
