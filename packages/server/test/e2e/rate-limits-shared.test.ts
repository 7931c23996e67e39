import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis } from '../../../../test/support/redis.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startServer, type RunningServer } from '../support/server.ts';

const limit = 100;
const soon = { timeout: 8_000, interval: 20 };
const operatorKey = 'operator-bootstrap-key-0123456789-abcdef';

describe.skipIf(lacks('redis-server'))('two servers that share a Redis', () => {
  let postgres: TestDatabase;
  let redis: TestRedis;
  let servers: readonly [RunningServer, RunningServer];
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startTestDatabase(), startTestRedis()]);
    const { port } = await redis.proxy();
    const { target } = await postgres.createDatabase({ migrated: false });
    if (target.kind !== 'url') throw new Error('a test database has a URL');
    const start = () =>
      startServer({
        env: {
          DATABASE_URL: target.url,
          REDIS_URL: `redis://127.0.0.1:${port}`,
          HOLDFAST_MASTER_KEY: masterKey,
          HOLDFAST_BOOTSTRAP_KEY: operatorKey,
          POSTGRES_MAX_CONNECTIONS: '20',
        },
        config: { rateLimits: { levels: { global: false, key: { requestsPerHour: limit } } } },
      });
    const masterKey = randomBytes(32).toString('hex');
    const first = await start();
    servers = [first, await start()];
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await redis.stop();
    await postgres.stop();
  });

  async function gauge(server: RunningServer, name: string): Promise<number> {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(new RegExp(`^holdfast_rate_limit_${name} (\\d+)$`, 'm').exec(text)?.[1]);
  }
  const health = async (server: RunningServer) => {
    const report = (await (await fetch(`${server.url}/health/ready`)).json()) as { dependencies: { name: string; status: string }[] };
    return report.dependencies.find(({ name }) => name === 'rate_limits')?.status;
  };
  /** A key without any call yet: each has its bucket. */
  async function newKey(limits: object = {}): Promise<string> {
    const answer = await fetch(`${servers[0].url}/api/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'client', ...limits }),
    });
    expect(answer.status).toBe(201);
    return ((await answer.json()) as { key: string }).key;
  }
  /** So many clients, half of them at each server, that go on until they are refused; how many of their calls passed at each. */
  async function drain(key: string, clients = 64): Promise<readonly [number, number]> {
    const passed: [number, number] = [0, 0];
    const client = async (at: 0 | 1) => {
      for (;;) {
        const answer = await fetch(`${servers[at].url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
        await answer.arrayBuffer();
        if (answer.status === 429) return;
        expect(answer.status).toBe(200);
        passed[at] += 1;
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, at) => client((at % 2) as 0 | 1)));
    return passed;
  }

  test('let exactly the limit pass, with 64 clients at both', async () => {
    // Each hears of the other with its sign of life.
    await expect.poll(() => Promise.all(servers.map((server) => gauge(server, 'instances'))), soon).toEqual([2, 2]);
    const [here, there] = await drain(await newKey());
    expect(here + there).toBe(limit);
    expect(Math.min(here, there)).toBeGreaterThan(0);
  });

  /** One call of a model at one of the servers; its status, undefined when it was given up. */
  function call(at: number, key: string, model = 'sandbox/demo', signal: AbortSignal | null = null): Promise<number | undefined> {
    return fetch(`${servers[at % 2]!.url}/v1/chat/completions`, {
      method: 'POST',
      signal,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, max_tokens: 50, messages: [{ role: 'user', content: 'hi' }] }),
    }).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      },
      () => undefined,
    );
  }

  test('let exactly as many calls of models pass as a key may make, 64 at once at both', async () => {
    const key = await newKey({ requests_per_minute: 10 });
    const statuses = await Promise.all(Array.from({ length: 64 }, (_, at) => call(at, key)));
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(54);
  });

  test('give the one place of a key to one of 64 calls, and free it for both before its client has the end of the answer', async () => {
    const key = await newKey({ concurrent: 1, tokens_per_minute: 100_000 });
    const leave = new AbortController();
    const statuses: (number | undefined)[] = [];
    const calls = Array.from({ length: 64 }, (_, at) =>
      call(at, key, 'sandbox/demo?silent=true', leave.signal).then((status) => statuses.push(status)),
    );
    await expect.poll(() => statuses.length, soon).toBe(63);
    expect(new Set(statuses)).toEqual(new Set([429]));
    leave.abort();
    await Promise.all(calls);
    await expect.poll(() => call(0, key), soon).toBe(200);
    for (let at = 0; at < 20; at++) expect(await call(at, key)).toBe(200);
  });

  test('go on with half of it each while it is away, say so, and come back by themselves; twice the limit passes at most, thrice when it forgot', async () => {
    const key = await newKey();
    const before = await drain(key);
    expect(before[0] + before[1]).toBe(limit);

    await redis.kill();
    const away = await drain(key);
    expect(away).toEqual([limit / 2, limit / 2]);
    for (const server of servers) {
      expect([await gauge(server, 'driver_degraded'), await health(server)]).toEqual([1, 'degraded']);
      expect(server.output()).toContain('this instance limits by its share');
      expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    }
    // However often one asks.
    expect(await drain(key, 8)).toEqual([0, 0]);

    await redis.restart();
    await expect.poll(() => Promise.all(servers.map((server) => gauge(server, 'driver_degraded'))), soon).toEqual([0, 0]);
    expect(await Promise.all(servers.map(health))).toEqual(['healthy', 'healthy']);
    const after = await drain(key);
    // What it held is lost with it: so thrice, and no more.
    expect(after[0] + after[1]).toBe(limit);
    for (const server of servers) expect(server.output()).toContain('Redis decides on limits again');
  });

  test('see the same buckets, whichever is asked', async () => {
    const key = await newKey();
    await drain(key, 8);
    const seen = await Promise.all(
      servers.map(async ({ url }) => {
        const answer = await fetch(`${url}/api/rate-limits?level=key-hour`, { headers: { authorization: `Bearer ${operatorKey}` } });
        return ((await answer.json()) as { data: { remaining: number; limit: number }[] }).data.map(({ remaining }) => remaining);
      }),
    );
    expect(seen[0]).toContain(0);
    expect(seen[0]).toEqual(seen[1]);
  });
});
