import { randomBytes } from 'node:crypto';
import type { CircuitBreakerBody, CircuitBreakerListBody } from '@holdfast/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis } from '../../../../test/support/redis.ts';
import type { TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startGateway, type Gateway } from './fixture.ts';

const soon = { timeout: 8_000, interval: 20 };
const target = 'primary/first';
const guarded = { retry: { attempts: 1 }, breaker: { enabled: true } };
const models = {
  both: { targets: [target, 'claude/second'], ...guarded },
  lonely: { targets: ['primary/only'], ...guarded },
};

async function list({ fetch }: Gateway): Promise<CircuitBreakerListBody> {
  return (await (await fetch('/health/circuit-breakers')).json()) as CircuitBreakerListBody;
}
async function breaker(gateway: Gateway, name = target): Promise<CircuitBreakerBody | undefined> {
  return (await list(gateway)).data.find((each) => each.name === name);
}
const chat = async ({ fetch }: Gateway, model: string) => {
  const answer = await fetch('/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
  });
  await answer.text();
  return answer.status;
};
const metric = async ({ server }: Gateway, name: string) =>
  (await (await fetch(`${server.url}/metrics`)).text())
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.split(' ')[1];

describe('an instance by itself', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ models });
  });
  afterAll(() => gateway.stop());
  beforeEach(() => gateway.upstream.reset());

  test('lists the database and every target of the configuration before anything was called', async () => {
    const { data, shared } = await list(gateway);
    expect(shared).toBe(false);
    expect(data[0]).toMatchObject({ name: 'database', kind: 'database', state: 'closed', settings: null });
    expect(data.map(({ name }) => name)).toEqual(expect.arrayContaining([target, 'claude/second', 'primary/only']));
    expect(await metric(gateway, `holdfast_circuit_breaker_state{breaker="${target}"}`)).toBe('0');
    expect(await metric(gateway, 'holdfast_circuit_breaker_state{breaker="database"}')).toBe('0');
  });

  test('a target that fails is left alone and shown, in the list, the metrics and the log', async () => {
    gateway.upstream.script('only', { kind: 'error', status: 500 });
    for (let call = 0; call < 5; call++) expect(await chat(gateway, 'lonely')).toBe(502);
    expect(await breaker(gateway, 'primary/only')).toMatchObject({
      state: 'open',
      by_hand: false,
      last_failure: { code: 'provider_failed' },
      totals: { failed: 5, opened: 1 },
    });
    const calls = gateway.upstream.calls.length;
    expect(await chat(gateway, 'lonely')).toBe(503);
    expect(gateway.upstream.calls.length).toBe(calls);
    expect(await metric(gateway, 'holdfast_circuit_breaker_state{breaker="primary/only"}')).toBe('2');
    expect(await metric(gateway, 'holdfast_circuit_breaker_transitions_total{breaker="primary/only",to="open",reason="failures"}')).toBe(
      '1',
    );
    expect(await metric(gateway, 'holdfast_circuit_breaker_rejections_total{breaker="primary/only"}')).toBe('1');
    await expect.poll(() => gateway.server.output(), soon).toMatch(/"breaker":"primary\/only"[^\n]*a circuit breaker opened/);
  });

  test('what an operator opens in the terminal is passed over, until he closes it', async () => {
    const port = new URL(gateway.server.url).port;
    const env = { HOLDFAST_API_KEY: gateway.server.key, HOLDFAST_BASE_URL: `http://127.0.0.1:${port}/v1` };
    const run = (...words: string[]) => gateway.server.cliWith(env, 'breakers', ...words);
    expect(await run('open', target)).toMatchObject({ code: 0, out: expect.stringMatching(/first +model +open +hand/) });
    expect(await chat(gateway, 'both')).toBe(200);
    expect(gateway.upstream.calls.at(-1)?.path).toContain('/messages');
    expect((await run('list')).out).toMatch(/^primary\/first +model +open +hand/m);
    expect(await run('close', target)).toMatchObject({ code: 0 });
    expect(await chat(gateway, 'both')).toBe(200);
    expect(gateway.upstream.calls.at(-1)?.path).toContain('/chat/completions');
    await expect.poll(() => gateway.server.output(), soon).toMatch(/an operator moved a circuit breaker/);
  });
});

describe.skipIf(lacks('redis-server'))('two instances that share a Redis', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let postgres: TestDatabase;
  let one: Gateway;
  let two: Gateway;
  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startTestRedis(), startTestDatabase()]);
    const database = await postgres.createDatabase({ migrated: false });
    if (database.target.kind !== 'url') throw new Error('the database has a URL');
    proxy = await redis.proxy();
    const env = {
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      DATABASE_URL: database.target.url,
      HOLDFAST_MASTER_KEY: randomBytes(32).toString('hex'),
      HOLDFAST_BOOTSTRAP_KEY: 'operator-bootstrap-key-0123456789-abcdef',
    };
    one = await startGateway({ env, models });
    two = await startGateway({ env, models });
  });
  afterAll(async () => {
    await Promise.all([one?.stop(), two?.stop()]);
    await Promise.all([redis.stop(), postgres.stop()]);
  });
  const post = async ({ fetch }: Gateway, action: string, body: object) =>
    (await (
      await fetch(`/api/circuit-breakers/${action}`, { method: 'POST', body: JSON.stringify(body) })
    ).json()) as CircuitBreakerBody & { shared: boolean };

  test('open together, also by hand, and say what they share', async () => {
    expect(await list(one)).toMatchObject({
      shared: true,
      data: expect.arrayContaining([expect.objectContaining({ name: 'redis', state: 'closed' })]),
    });
    one.upstream.script('only', { kind: 'error', status: 500 });
    for (let call = 0; call < 5; call++) await chat(one, 'lonely');
    await expect.poll(async () => (await breaker(two, 'primary/only'))?.state, soon).toBe('open');
    expect(await chat(two, 'lonely')).toBe(503);
    expect(two.upstream.calls).toEqual([]);
    expect(await post(two, 'close', { name: 'primary/only' })).toMatchObject({ state: 'closed', shared: true });
    await expect.poll(async () => (await breaker(one, 'primary/only'))?.state, soon).toBe('closed');
  });

  test('without it each obeys its own operator, and with it again all obey him', async () => {
    proxy.cut();
    await expect.poll(async () => (await list(one)).shared || (await list(two)).shared, soon).toBe(false);
    expect(await breaker(one, 'redis')).toMatchObject({ kind: 'redis', state: expect.stringMatching(/open/) });
    expect(await post(one, 'open', { name: target })).toMatchObject({ state: 'open', by_hand: true, shared: false });
    expect(await chat(one, 'both')).toBe(200);
    expect((await breaker(two))?.state).toBe('closed');
    proxy.restore();
    await expect.poll(async () => breaker(two), soon).toMatchObject({ state: 'open', by_hand: true });
    // The operator's word may come by the poll, a moment before the channel is heard again.
    await expect.poll(() => list(two), soon).toMatchObject({ shared: true });
  });
});
