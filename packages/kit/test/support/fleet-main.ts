/** One process of many at one Redis: `node fleet-main.ts <socket> <seed>`. Sends one report to its parent and ends. */
import { concurrency, createRateLimiter, gcra, slidingWindow } from '@holdfast/kit/ratelimit';
import { createRedisDriver } from '@holdfast/kit/ratelimit/redis';
import { createSeededRandom } from '@holdfast/kit/testing';
import { systemRandom } from '@holdfast/kit/time';
import { createClient } from '@redis/client';

export interface FleetReport {
  readonly admitted: number;
  /** The most places that were held at once in all processes, as counted beside the limiter. */
  readonly mostHeld: number;
  readonly calls: number;
  readonly tokensUsed: number;
}

const client = createClient({ socket: { path: process.argv[2]!, reconnectStrategy: false } });
await client.connect();
const chance = createSeededRandom(Number(process.argv[3]));
const limiter = createRateLimiter({ driver: createRedisDriver({ client, random: systemRandom }) });

const requests = [
  { policy: gcra({ name: 'fleet', limit: 97, periodMs: 97 * 3_600_000, burst: 97 }), key: 'k' },
  { policy: slidingWindow({ name: 'fleet', limit: 83, windowMs: 24 * 3_600_000 }), key: 'k' },
];
const tokens = gcra({ name: 'tokens', limit: 10_000, periodMs: 10_000 * 3_600_000, unit: 'tokens' });
const places = concurrency({ name: 'places', limit: 5, leaseMs: 600_000 });

let admitted = 0;
let mostHeld = 0;
let calls = 0;
let tokensUsed = 0;

async function work(): Promise<void> {
  for (let turn = 0; turn < 25; turn++) {
    if ((await limiter.take(requests)).allowed) admitted++;
    const cost = 10 + Math.floor(chance.next() * 40);
    const call = await limiter.take([
      { policy: tokens, key: 'k', cost },
      { policy: places, key: 'k' },
    ]);
    if (!call.allowed) continue;
    calls++;
    mostHeld = Math.max(mostHeld, await client.incr('held'));
    const used = Math.floor(chance.next() * cost);
    tokensUsed += used;
    await client.decr('held');
    await call.finish(used);
  }
}

await Promise.all(Array.from({ length: 16 }, work));
process.send?.({ admitted, mostHeld, calls, tokensUsed } satisfies FleetReport);
client.destroy();
process.disconnect?.();
