import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { answerHealth, createHealthRegistry } from '../../health/index.ts';
import { createFakeClock } from '../../testing/index.ts';
import { healthProbes } from './index.ts';

function scene() {
  const clock = createFakeClock();
  const health = createHealthRegistry({ clock, jitter: 0 });
  const app = Fastify();
  onTestFinished(async () => {
    health.close();
    await app.close();
  });
  return { clock, health, app };
}

/** A socket that accepts and stays silent, as a database behind a dropped route does. */
async function silentServer() {
  const sockets = new Set<Socket>();
  let accepted!: () => void;
  const connected = new Promise<void>((resolve) => (accepted = resolve));
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    accepted();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    connected,
    check: (signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1');
        socket.once('data', () => resolve()).once('error', reject);
        signal.addEventListener('abort', () => socket.destroy(new Error('told to stop')));
      }),
  };
}

test('a dependency that accepts and stays silent keeps no probe waiting, before the check gives up and after', async () => {
  const { clock, health, app } = scene();
  const silent = await silentServer();
  health.register('database', { critical: true, check: silent.check });
  await app.register(healthProbes, { health });
  await silent.connected;
  // The clock stands: nothing gives up, nothing is released. Each answer came all the same.
  for (const url of ['/health', '/health/live']) expect((await app.inject(url)).statusCode).toBe(200);
  const before = await app.inject('/health/ready');
  expect([before.statusCode, before.json().dependencies[0].message]).toEqual([503, 'not checked yet']);
  await clock.advanceAsync(1_000);
  const after = await app.inject('/health/ready');
  expect([after.statusCode, after.json().dependencies[0].message]).toEqual([503, 'does not answer in time']);
});

test('is ready when its dependencies are, and not from the moment the app begins to close', async () => {
  const { clock, health, app } = scene();
  health.register('database', { critical: true, check: async () => {} });
  await app.register(healthProbes, { health, names: { releaseId: '1.4.2' } });
  let atTheEnd: number | undefined;
  app.addHook('onClose', (_app, done) => {
    atTheEnd = answerHealth(health.readiness()).statusCode;
    done();
  });
  await clock.advanceAsync(0);
  const ready = await app.inject({ url: '/health/ready', headers: { accept: 'application/health+json' } });
  expect([ready.statusCode, ready.headers['content-type']]).toEqual([200, 'application/health+json']);
  expect(ready.json()).toMatchObject({ status: 'pass', releaseId: '1.4.2', checks: { 'database:responseTime': [{ status: 'pass' }] } });
  await app.close();
  expect(atTheEnd).toBe(503);
});

test('shows everything to those alone whom the app lets in, and not at all where it names nobody', async () => {
  const { clock, health, app } = scene();
  health.register('cache', { critical: false, check: () => Promise.reject(new Error('redis://user:secret@10.0.0.7')) });
  await app.register(healthProbes, { health, path: '/-/probes' });
  await app.register(healthProbes, {
    health,
    detailed: (request, reply, done) => (request.headers.authorization === 'Bearer operator' ? done() : void reply.code(401).send()),
  });
  await clock.advanceAsync(0);
  expect((await app.inject('/-/probes/detailed')).statusCode).toBe(404);
  expect((await app.inject('/-/probes/live')).statusCode).toBe(200);
  expect((await app.inject('/health/detailed')).statusCode).toBe(401);
  const shown = await app.inject({ url: '/health/detailed', headers: { authorization: 'Bearer operator' } });
  expect([shown.statusCode, shown.json().status]).toEqual([200, 'degraded']);
  expect(shown.body).not.toContain('secret');
});

test('refuses a path that is none', async () => {
  const { health, app } = scene();
  await expect(app.register(healthProbes, { health, path: 'health/' })).rejects.toThrow(
    expect.objectContaining({ code: 'configuration_invalid' }),
  );
});
