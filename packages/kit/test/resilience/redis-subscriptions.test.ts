import { createRedisSubscriptions } from '@holdfast/kit/resilience/redis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis } from '../../../../test/support/redis.ts';

const soon = { timeout: 4_000, interval: 5 };

describe.skipIf(lacks('redis-server'))('announcements by a client of Redis', () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await startTestRedis();
  });
  afterEach(() => redis.stop());

  async function listen(channel = 'a') {
    const client = await redis.connect();
    const subscriptions = createRedisSubscriptions(client);
    const states: boolean[] = [];
    subscriptions.onStateChange((connected) => void states.push(connected));
    const messages: string[] = [];
    const end = subscriptions.subscribe(channel, (message) => void messages.push(message));
    return { client, subscriptions, states, messages, end };
  }
  const publish = async (message: string) => void (await (await redis.connect()).publish('a', message));

  test('arrive from the moment in which it says that they do, until they are ended', async () => {
    const { subscriptions, states, messages, end } = await listen();
    const other: string[] = [];
    expect(subscriptions.connected).toBe(false);
    await expect.poll(() => subscriptions.connected, soon).toBe(true);
    subscriptions.subscribe('a', (message) => void other.push(message));
    await expect.poll(() => subscriptions.connected, soon).toBe(true);
    await publish('one');
    await expect.poll(() => messages, soon).toEqual(['one']);
    end();
    end();
    await publish('two');
    await expect.poll(() => other, soon).toEqual(['one', 'two']);
    expect(messages).toEqual(['one']);
    expect(states).toEqual([true, false, true]);
  });

  test('arrive again after the connection was lost, and between it is known that none do', async () => {
    const { subscriptions, states, messages } = await listen();
    await expect.poll(() => subscriptions.connected, soon).toBe(true);
    await redis.restart();
    await expect.poll(() => states, soon).toEqual([true, false, true]);
    await publish('x');
    await expect.poll(() => messages, soon).toEqual(['x']);
  });

  test('arrive after all where nobody was there when they were asked for', async () => {
    const client = await redis.connect();
    await redis.kill();
    await expect.poll(() => client.isReady, soon).toBe(false);
    const subscriptions = createRedisSubscriptions(client);
    const messages: string[] = [];
    subscriptions.subscribe('a', (message) => void messages.push(message));
    await redis.restart();
    await expect.poll(() => subscriptions.connected, soon).toBe(true);
    await publish('x');
    await expect.poll(() => messages, soon).toEqual(['x']);
  });

  test('a login that may not listen is never connected', async () => {
    const admin = await redis.connect();
    await admin.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>x', '~*', '+@all', 'resetchannels']);
    const client = await redis.connect();
    await client.auth({ username: 'app', password: 'x' });
    const subscriptions = createRedisSubscriptions(client);
    subscriptions.subscribe('a', () => {});
    await client.ping();
    expect(subscriptions.connected).toBe(false);
  });
});
