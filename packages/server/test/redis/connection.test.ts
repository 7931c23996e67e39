import { createServer, type AddressInfo } from 'node:net';
import { createFakeClock } from '@holdfast/kit/testing';
import { systemClock, type Clock, type Random } from '@holdfast/kit/time';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { lacks } from '../../../../test/support/programs.ts';
import { startTestRedis, type TestRedis } from '../../../../test/support/redis.ts';
import type { TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { openRedis, redisListenerStateChanged, redisStateChanged, type RedisConnection } from '../../src/platform/redis/index.ts';

/** Back-offs of nothing: what is waited for is Redis. */
const random: Random = { next: () => 0, bytes: (length) => Buffer.alloc(length) };
const soon = { timeout: 4_000, interval: 5 };
const noop = { keys: [], arguments: [] };

describe.skipIf(lacks('redis-server'))('the connection to Redis', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let open: RedisConnection[];
  beforeEach(async () => {
    redis = await startTestRedis();
    proxy = await redis.proxy();
    open = [];
  });
  afterEach(async () => {
    await Promise.all(open.map((connection) => connection.close()));
    await redis.stop();
  });

  function connect(clock: Clock = systemClock, url = `redis://127.0.0.1:${proxy.port}`): RedisConnection {
    const connection = openRedis({ url, clock, random });
    open.push(connection);
    return connection;
  }

  function heard() {
    const changes: boolean[] = [];
    const errors: unknown[] = [];
    onTestFinished(
      redisStateChanged.subscribe(({ connected, error }) => {
        changes.push(connected);
        if (!connected) errors.push(error);
      }),
    );
    return { changes, errors };
  }

  test('takes commands once it is there, and says so', async () => {
    const { changes } = heard();
    const connection = connect();
    await connection.settled;
    expect([connection.connected, changes]).toEqual([true, [true]]);
    expect(await connection.client.eval('return ARGV[1]', { keys: [], arguments: ['x'] })).toBe('x');
    await connection.ping();
  });

  test('refuses commands at once while Redis is away, and takes them again by itself when it is back', async () => {
    const { changes } = heard();
    const connection = connect();
    await connection.settled;
    await redis.kill();
    await expect.poll(() => connection.connected, soon).toBe(false);
    await expect(connection.client.eval('return 1', noop)).rejects.toMatchObject({ code: 'redis_unavailable' });
    await expect(connection.ping()).rejects.toMatchObject({ code: 'redis_unavailable' });
    await redis.restart();
    await expect.poll(() => connection.connected, soon).toBe(true);
    expect(await connection.client.eval('return 1', noop)).toBe(1);
    expect(changes).toEqual([true, false, true]);
  });

  test('is open also when Redis is not there at the start, says so once, and finds it later', async () => {
    proxy.cut();
    const { changes } = heard();
    const connection = connect();
    await connection.settled;
    expect(connection.connected).toBe(false);
    const tried = proxy.connections;
    await expect.poll(() => proxy.connections, soon).toBeGreaterThan(tried + 3);
    proxy.restore();
    await expect.poll(() => connection.connected, soon).toBe(true);
    expect(changes).toEqual([false, true]);
  });

  test('gives up a connection that has fallen silent, with what was asked on it', async () => {
    const clock = createFakeClock();
    const { changes, errors } = heard();
    const connection = connect(clock);
    await connection.settled;
    proxy.freeze();
    const asked = connection.client.eval('return 1', noop).catch((error: unknown) => error);
    await clock.advanceAsync(2_000);
    expect(connection.connected).toBe(true);
    await clock.advanceAsync(2_000);
    await expect.poll(() => connection.connected, soon).toBe(false);
    expect(await asked).toBeInstanceOf(Error);
    expect(errors[0]).toMatchObject({ code: 'redis_unavailable', message: expect.stringContaining('no answer in 2000 ms') });
    proxy.restore();
    await expect.poll(() => clock.advanceAsync(100).then(() => connection.connected), soon).toBe(true);
    expect(changes).toEqual([true, false, true]);
  });

  test('lives on while Redis answers slower than usual', async () => {
    const clock = createFakeClock();
    const connection = connect(clock);
    await connection.settled;
    redis.pause();
    await clock.advanceAsync(3_500);
    redis.goOn();
    await connection.ping();
    await clock.advanceAsync(3_500);
    await connection.ping();
    expect([connection.connected, proxy.connections]).toEqual([true, 1]);
  });

  test('waits no longer than two seconds for a server that takes connections and never answers', async () => {
    proxy.freeze();
    const clock = createFakeClock();
    const connection = connect(clock);
    let settled = false;
    void connection.settled.then(() => (settled = true));
    await expect.poll(() => proxy.connections, soon).toBe(1);
    await clock.advanceAsync(1_999);
    expect(settled).toBe(false);
    await clock.advanceAsync(1);
    await connection.settled;
    expect(connection.connected).toBe(false);
  });

  test('leaves no timer and no socket behind when it is closed, whatever it was doing', async () => {
    for (const [name, arrange] of Object.entries({ connected: () => {}, refused: () => proxy.cut(), silent: () => proxy.freeze() })) {
      arrange();
      const clock = createFakeClock();
      const connection = connect(clock);
      const before = proxy.connections;
      if (name === 'silent') await expect.poll(() => proxy.connections, soon).toBeGreaterThan(before);
      else await connection.settled;
      await connection.close();
      expect([name, clock.pendingTimers, connection.connected]).toEqual([name, 0, false]);
      proxy.restore();
    }
    await expect.poll(() => proxy.openConnections, soon).toBe(0);
  });

  test('leaves a server that has become a replica, for the primary to which the name leads then', async () => {
    const connection = connect();
    await connection.settled;
    const admin = await redis.connect();
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
    await expect(connection.client.eval("return redis.call('SET', 'k', '1')", { keys: ['k'], arguments: [] })).rejects.toThrow('READONLY');
    await expect.poll(() => proxy.connections, soon).toBe(2);
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE']);
    await expect.poll(() => connection.connected, soon).toBe(true);
    expect(await connection.client.eval("return redis.call('SET', 'k', '1')", { keys: ['k'], arguments: [] })).toBe('OK');
  });

  describe('messages of others', () => {
    async function listen(connection: RedisConnection, channel: string) {
      const messages: string[] = [];
      const end = connection.subscriptions.subscribe(channel, (message) => void messages.push(message));
      await expect.poll(() => connection.subscriptions.connected, soon).toBe(true);
      return { messages, end };
    }
    const publish = async (channel: string, message: string) => void (await (await redis.connect()).publish(channel, message));

    test('arrive at all who asked for the channel, until they end it', async () => {
      const connection = connect();
      const [one, two, other] = [await listen(connection, 'a'), await listen(connection, 'a'), await listen(connection, 'b')];
      await publish('a', 'first');
      await expect.poll(() => two.messages, soon).toEqual(['first']);
      one.end();
      one.end();
      await publish('a', 'second');
      await publish('b', 'third');
      await expect.poll(() => other.messages, soon).toEqual(['third']);
      expect([one.messages, two.messages]).toEqual([['first'], ['first', 'second']]);
    });

    test('arrive again after Redis was away, and between it is known that none do', async () => {
      const connection = connect();
      const { messages } = await listen(connection, 'a');
      const states: boolean[] = [];
      const announced: boolean[] = [];
      connection.subscriptions.onStateChange((state) => void states.push(state));
      onTestFinished(redisListenerStateChanged.subscribe(({ connected }) => void announced.push(connected)));
      await redis.restart();
      await expect.poll(() => states, soon).toEqual([false, true]);
      expect(announced).toEqual([false, true]);
      await publish('a', 'x');
      await expect.poll(() => messages, soon).toEqual(['x']);
    });

    test('and a silent connection is noticed by the same heartbeat', async () => {
      const clock = createFakeClock();
      const connection = connect(clock);
      const { messages } = await listen(connection, 'a');
      // Also a connection that only listens answers a heartbeat.
      await clock.advanceAsync(2_000);
      await publish('a', 'x');
      await expect.poll(() => messages, soon).toEqual(['x']);
      await clock.advanceAsync(1_999);
      expect(connection.subscriptions.connected).toBe(true);
      proxy.freeze();
      await clock.advanceAsync(4_000);
      await expect.poll(() => connection.subscriptions.connected, soon).toBe(false);
    });
  });
});

describe.skipIf(lacks('redis-server'))('credentials and database of the URL', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  beforeEach(async () => {
    redis = await startTestRedis(['--user', 'default', 'off', '--user', 'app', 'on', '>p@ss:w/rd', '~*', '&*', '+@all']);
    proxy = await redis.proxy();
  });
  afterEach(() => redis.stop());

  async function state(url: string) {
    const errors: unknown[] = [];
    const end = redisStateChanged.subscribe(({ error }) => void errors.push(error));
    const connection = openRedis({ url: url.replace('PORT', String(proxy.port)), clock: systemClock, random });
    await connection.settled;
    const { connected } = connection;
    if (connected) await connection.client.eval("return redis.call('SET', 'k', 'v')", noop);
    await connection.close();
    end();
    return { connected, said: String(errors[0]) };
  }

  test('are those that are used', async () => {
    expect(await state('redis://app:p%40ss%3Aw%2Frd@127.0.0.1:PORT/3')).toMatchObject({ connected: true });
    const url = `redis://app:p%40ss%3Aw%2Frd@127.0.0.1:${proxy.port}`;
    const connection = openRedis({ url, clock: systemClock, random });
    await connection.settled;
    const where = await connection.client.eval("redis.call('SELECT', '3') return redis.call('GET', 'k')", noop);
    await connection.close();
    expect(where).toBe('v');
  });

  test.each(['redis://app:wrong-secret@127.0.0.1:PORT', 'redis://127.0.0.1:PORT'])(
    '%s: refused is as good as away, and no secret is said',
    async (url) => {
      const { connected, said } = await state(url);
      expect(connected).toBe(false);
      expect(said).toMatch(/WRONGPASS|NOAUTH/);
      expect(said).not.toContain('wrong-secret');
    },
  );

  test('rediss:// begins with TLS, and no word of the credentials goes before it', async () => {
    const first = Promise.withResolvers<Buffer | string>();
    const server = createServer((socket) => socket.once('data', (data) => (first.resolve(data), socket.destroy())));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const connection = openRedis({ url: `rediss://app:secret@127.0.0.1:${port}`, clock: systemClock, random });
    const data = await first.promise;
    expect([data[0], data.includes('secret')]).toEqual([0x16, false]);
    await connection.close();
    server.close();
  });
});
