import { expect, test } from 'vitest';
import { systemClock } from '@holdfast/kit/time';
import { createHealthRegistry, type HealthRegistry } from '@holdfast/kit/health';
import { healthRoutes } from '../../src/features/health/index.ts';
import { createHttpServer, type HttpServer } from '../../src/entry/http/index.ts';
import { createFakeClock } from '@holdfast/kit/testing';
import { goodKey, openDoor, openSocket, parseAnswer } from './door.ts';

const authorized = { authorization: `Bearer ${goodKey}`, 'content-type': 'application/json' };
const slow = `POST /v1/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${goodKey}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;

test('a stream in flight comes to its end, new calls are turned away, health still answers', async () => {
  const { server, port, url, release } = await openDoor();
  const { socket, until, received } = await openSocket(port);
  socket.write(slow);
  await until('data: 1');

  const drained = server.drain({ timeoutMs: 60_000 });
  expect(server.draining).toBe(true);
  for (const path of ['/v1/echo', '/api/things/1']) {
    const refused = await fetch(url + path, { method: 'POST', headers: authorized, body: '{}' });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('connection')).toBe('close');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('x-should-retry')).toBeNull();
    const { error } = (await refused.json()) as { error: { code: unknown; reason?: unknown } };
    expect(error.reason ?? error.code).toBe('draining');
  }
  const health = await fetch(`${url}/health`);
  expect([health.status, health.headers.get('connection')]).toEqual([200, 'close']);

  release();
  expect(await drained).toEqual({ cut: 0 });
  await until('data: 2');
  expect(received()).toContain('\r\n0\r\n\r\n');
  await expect(fetch(`${url}/health`)).rejects.toThrow();
});

test('idle connections, and those that never said a word, do not hold the exit', async () => {
  const { server, port } = await openDoor();
  const silent = await openSocket(port);
  const idle = await openSocket(port);
  idle.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await idle.until('healthy');
  expect(await server.drain({ timeoutMs: 60_000 })).toEqual({ cut: 0 });
  await Promise.all([silent.closed, idle.closed]);
});

test('what does not end in time is cut, and said', async () => {
  const { server, port } = await openDoor();
  const { socket, until, received, closed } = await openSocket(port);
  socket.write(slow);
  await until('data: 1');
  expect(await server.drain({ timeoutMs: 20 })).toEqual({ cut: 1 });
  await closed;
  // A cut stream must not look finished: its last chunk is missing.
  expect(received()).not.toContain('\r\n0\r\n\r\n');
});

const largeBytes = 32 * 1024 * 1024;

/** Asks for far more than the buffers between server and client hold, and reads nothing of it. */
async function askWithoutReading() {
  const door = await openDoor({ maxBodyBytes: 2 * largeBytes });
  const client = await openSocket(door.port);
  client.socket.write(
    `POST /v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${goodKey}\r\nContent-Type: application/json\r\nContent-Length: ${largeBytes}\r\n\r\n`,
  );
  client.socket.write(Buffer.alloc(largeBytes, 'a'));
  // Its head is there, so the whole answer has been handed over by `end`, and most of it still waits in the server.
  await client.until('content-length');
  client.socket.pause();
  return { ...door, ...client };
}

test('an answer that a slow reader is still fetching is not cut', async () => {
  const { server, socket, received, closed } = await askWithoutReading();
  const drained = server.drain({ timeoutMs: 60_000 });
  expect(server.inFlight).toBe(1);
  socket.resume();
  expect(await drained).toEqual({ cut: 0 });
  await closed;
  expect(received().length).toBeGreaterThan(largeBytes);
});

test('a reader that stopped reading cannot hold the exit past its bound', async () => {
  const { server, socket, closed } = await askWithoutReading();
  expect(await server.drain({ timeoutMs: 50 })).toEqual({ cut: 1 });
  socket.resume();
  await closed;
});

test('draining twice is draining once', async () => {
  const { server } = await openDoor();
  const first = server.drain({ timeoutMs: 10 });
  expect(server.drain({ timeoutMs: 10 })).toBe(first);
  await first;
});

test('goes on answering for as long as a load balancer needs to see it', async () => {
  const clock = createFakeClock();
  const { server, url } = await openDoor({ clock });
  let done = false;
  const drained = server.drain({ timeoutMs: 60_000, settleMs: 5_000 }).then(() => (done = true));
  await clock.advanceAsync(4_999);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect(done).toBe(false);
  await clock.advanceAsync(1);
  await drained;
});

async function openWithHealth(
  check: () => Promise<void>,
): Promise<{ server: HttpServer; port: number; url: string; registry: HealthRegistry }> {
  const server = await createHttpServer({
    clock: systemClock,
    createId: () => 'id',
    version: '0',
    authenticate: () => Promise.reject(new Error('unused')),
  });
  const registry = createHealthRegistry({ clock: createFakeClock() });
  registry.register('database', { critical: true, check });
  await server.app.register(healthRoutes({ registry, clock: systemClock, version: '0' }));
  server.app.get('/hold', { config: { access: 'public' } }, () => new Promise(() => {}));
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { server, port, url: `http://127.0.0.1:${port}`, registry };
}

test('health answers while the dependency it speaks of hangs, and liveness does not mind', async () => {
  const { server, url } = await openWithHealth(() => new Promise(() => {}));
  const ready = await fetch(`${url}/health/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    status: 'unhealthy',
    dependencies: [{ name: 'database', status: 'unhealthy', message: 'not checked yet', response_time_ms: null }],
  });
  for (const path of ['/health', '/health/live']) {
    const alive = await fetch(url + path);
    expect(alive.status).toBe(200);
    expect(await alive.json()).toEqual({ status: 'healthy', timestamp: expect.stringMatching(/^\d{4}-.*Z$/), dependencies: [] });
    expect(alive.headers.get('cache-control')).toBe('no-store');
  }
  await server.drain({ timeoutMs: 0 });
});

test('readiness follows a failure in real use at the next request', async () => {
  let up = true;
  const { server, url, registry } = await openWithHealth(() => (up ? Promise.resolve() : new Promise(() => {})));
  await expect.poll(async () => (await fetch(`${url}/health/ready`)).status).toBe(200);
  up = false;
  registry.markFailed('database');
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);
  await server.drain({ timeoutMs: 0 });
});

test('readiness says 503 from the moment of the drain on', async () => {
  const { server, port, url, registry } = await openWithHealth(() => Promise.resolve());
  await expect.poll(async () => (await fetch(`${url}/health/ready`)).status).toBe(200);
  const held = await openSocket(port);
  held.socket.write('GET /hold HTTP/1.1\r\nHost: x\r\n\r\n');
  await expect.poll(() => server.inFlight).toBe(1);
  registry.hold('stopping');
  const drained = server.drain({ timeoutMs: 60_000 });
  const ready = await openSocket(port);
  ready.socket.write('GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n');
  await ready.closed;
  const answer = parseAnswer(ready.received());
  expect(answer).toMatchObject({ status: 503, headers: { connection: 'close' }, body: { status: 'unhealthy' } });
  held.socket.destroy();
  expect(await drained).toEqual({ cut: 0 });
});
