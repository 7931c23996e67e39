import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis } from '../../../../test/support/redis.ts';
import { startGateway, type Gateway } from './fixture.ts';

const messages = [{ role: 'user' as const, content: 'hi' }];
const targets = ['primary/gpt-4o-mini'];

describe.skipIf(lacks('redis-server'))('two instances with one Redis', () => {
  let redis: TestRedis;
  let fleet: readonly Gateway[];
  beforeAll(async () => {
    redis = await startTestRedis();
    const { port } = await redis.proxy();
    const models = {
      calls: { targets, rateLimits: { requestsPerMinute: 10 } },
      single: { targets, rateLimits: { concurrent: 1, tokensPerMinute: 100_000 } },
    };
    fleet = await Promise.all([1, 2].map(() => startGateway({ env: { REDIS_URL: `redis://127.0.0.1:${port}` }, models })));
  });
  afterAll(async () => {
    await Promise.all(fleet.map((gateway) => gateway.stop()));
    await redis.stop();
  });

  const at = (call: number) => fleet[call % fleet.length]!;
  const statusOf = (gateway: Gateway, model: string, signal?: AbortSignal) =>
    gateway.openai.chat.completions.create({ model, messages, max_tokens: 50 }, { signal: signal ?? null }).then(
      () => 200,
      (error: InstanceType<typeof OpenAI.APIError>) => error.status,
    );

  test('let as many calls through together as one alone would', async () => {
    const statuses = await Promise.all(Array.from({ length: 64 }, (_, call) => statusOf(at(call), 'calls')));
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(54);
  });

  test('give one place to one of 64 callers, and free it for both as soon as its answer is there', async () => {
    for (const gateway of fleet) gateway.upstream.enqueue(...Array.from({ length: 64 }, () => ({ headersDelayMs: 60_000 })));
    const leave = new AbortController();
    const statuses: (number | undefined)[] = [];
    const calls = Array.from({ length: 64 }, (_, call) =>
      statusOf(at(call), 'single', leave.signal).then((status) => statuses.push(status)),
    );
    await expect.poll(() => statuses.length, { timeout: 8_000, interval: 10 }).toBe(63);
    expect(new Set(statuses)).toEqual(new Set([429]));
    leave.abort();
    await Promise.all(calls);
    for (const gateway of fleet) gateway.upstream.reset();
    await expect.poll(() => statusOf(at(0), 'single'), { timeout: 8_000, interval: 20 }).toBe(200);
    // One after the other, now here and now there: the place is free before the client has the end of its answer.
    for (let call = 0; call < 20; call++) expect(await statusOf(at(call), 'single')).toBe(200);
  });
});
