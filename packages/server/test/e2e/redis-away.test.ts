import type { HealthReport } from '@holdfast/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis } from '../../../../test/support/redis.ts';
import type { TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { startGateway, type Gateway } from './fixture.ts';

const soon = { timeout: 8_000, interval: 20 };

describe.skipIf(lacks('redis-server'))('a server whose Redis comes and goes', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let gateway: Gateway;
  beforeAll(async () => {
    redis = await startTestRedis();
    proxy = await redis.proxy();
    proxy.cut();
    gateway = await startGateway({ env: { REDIS_URL: `redis://default:marked-password@127.0.0.1:${proxy.port}/1` } });
  });
  afterAll(async () => {
    await gateway.stop();
    await redis.stop();
  });

  const up = async () => /^holdfast_redis_up (\d)$/m.exec(await (await fetch(`${gateway.server.url}/metrics`)).text())?.[1];
  async function serves(): Promise<void> {
    const body = JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'hi' }] });
    expect((await gateway.fetch('/v1/chat/completions', { method: 'POST', body })).status).toBe(200);
    expect((await fetch(`${gateway.server.url}/health/ready`)).status).toBe(200);
  }
  const said = (text: string) => gateway.server.output().split(text).length - 1;

  const detailed = async () => {
    const { dependencies } = (await (await gateway.fetch('/health/detailed')).json()) as HealthReport;
    return dependencies.find(({ name }) => name === 'redis')?.status;
  };

  test('starts, serves and stops all the same, and says what it knows of it', async () => {
    expect(await up()).toBe('0');
    expect((await gateway.fetch('/health/detailed', { key: null })).status).toBe(401);
    expect(await detailed()).toBe('degraded');
    await serves();
    await expect.poll(() => said('Redis cannot be reached'), soon).toBe(1);
    proxy.restore();
    await expect.poll(up, soon).toBe('1');
    await expect.poll(() => said('Redis is connected'), soon).toBe(1);
    await expect.poll(detailed, soon).toBe('healthy');
    await serves();
    await redis.kill();
    await expect.poll(up, soon).toBe('0');
    await serves();
    await redis.restart();
    await expect.poll(up, soon).toBe('1');
    await expect.poll(() => said('Redis cannot be reached'), soon).toBe(2);
    proxy.freeze();
    expect(await gateway.server.stop()).toBe(0);
    expect(gateway.server.output()).not.toContain('marked-password');
    expect(gateway.server.output()).not.toContain('did not close in order');
  });
});
