import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { createHealthRegistry, type HealthReport } from '@holdfast/kit/health';
import { createFakeClock } from '@holdfast/kit/testing';
import { systemClock } from '@holdfast/kit/time';
import { expect, onTestFinished, test } from 'vitest';
import { healthThreadEnded, openHealthPort } from '../../src/entry/health-port/index.ts';

async function startMain(stuckMs: number) {
  const standing = new Int32Array(new SharedArrayBuffer(4));
  const main = new Worker(new URL('./health-port-main.ts', import.meta.url), {
    workerData: { stuckMs, standing },
    execArgv: ['--conditions=dev-source'],
  });
  const [port] = (await once(main, 'message')) as [number];
  const release = (): void => {
    Atomics.store(standing, 0, 0);
    Atomics.notify(standing, 0);
  };
  onTestFinished(async () => {
    release();
    const ended = once(main, 'exit');
    main.postMessage('close');
    await ended;
    // Nobody is left on the port.
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
  });
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, report: (await answer.json()) as HealthReport };
  };
  return {
    tell: (word: 'ready' | 'stop') => main.postMessage(word),
    release,
    /** Holds at return: its event loop stands still. */
    async stand() {
      main.postMessage('stand');
      if (Atomics.load(standing, 0) === 0) await Atomics.waitAsync(standing, 0, 0).value;
    },
    status: async (path: string) => (await ask(path)).status,
    ask,
  };
}

const soon = { interval: 20, timeout: 10_000 };

test('answers while the main thread stands still, as it was until the threshold, then as stuck, and recovers with it', async () => {
  const { tell, stand, release, status, ask } = await startMain(1_500);
  expect((await ask('/health/ready')).report).toMatchObject({
    status: 'unhealthy',
    dependencies: [{ name: 'event_loop' }, { name: 'process', message: 'starting' }],
  });
  expect(await status('/health/live')).toBe(200);
  tell('ready');
  await expect.poll(() => status('/health/ready'), soon).toBe(200);

  await stand();
  // It cannot have turned since, so whoever answers is not the main thread.
  expect([await status('/health'), await status('/health/live'), await status('/health/ready')]).toEqual([200, 200, 200]);
  await expect.poll(async () => (await ask('/health/live')).report.dependencies[0]?.status, soon).toBe('degraded');
  expect(await status('/health/live')).toBe(200);
  await expect.poll(() => status('/health/live'), soon).toBe(503);
  expect((await ask('/health/ready')).report).toMatchObject({
    status: 'unhealthy',
    dependencies: [{ name: 'event_loop', message: 'stands still' }],
  });

  release();
  await expect.poll(() => status('/health/live'), soon).toBe(200);
  expect(await status('/health/ready')).toBe(200);
  tell('stop');
  await expect.poll(async () => (await ask('/health/ready')).report.dependencies[1]?.message, soon).toBe('stopping');
  expect([await status('/health/ready'), await status('/health/live')]).toEqual([503, 200]);
});

test('a port that is taken, or an address that this machine has not, is a clear fault', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const health = createHealthRegistry();
  const { port } = other.address() as AddressInfo;
  const open = (host: string) => openHealthPort({ host, port, stuckMs: 1_000, health, version: '0', clock: systemClock });
  await expect(open('127.0.0.1')).rejects.toMatchObject({ code: 'health_port_unusable', message: 'another program listens there' });
  await expect(open('203.0.113.7')).rejects.toMatchObject({ code: 'health_port_unusable', message: 'this machine has no such address' });
  other.close();
  // Where it failed it left nothing behind.
  await once(other, 'close');
  const opened = await open('127.0.0.1');
  await opened.close();
});

test('a thread that ends is told of, and another one serves the same port a second later', async () => {
  const clock = createFakeClock();
  const health = createHealthRegistry({ clock });
  const threads: Worker[] = [];
  const onThread = (thread: Worker): void => void threads.push(thread);
  process.on('worker', onThread);
  const ended: unknown[] = [];
  onTestFinished(healthThreadEnded.subscribe(({ error }) => void ended.push(error)));
  const opened = await openHealthPort({ host: '127.0.0.1', port: 0, stuckMs: 60_000, health, version: '0', clock });
  onTestFinished(async () => {
    process.off('worker', onThread);
    await opened.close();
    health.close();
  });
  const status = () =>
    fetch(`http://127.0.0.1:${opened.port}/health/live`, { headers: { connection: 'close' } }).then(
      (answer) => answer.status,
      () => 'nobody',
    );
  expect(await status()).toBe(200);
  await threads[0]!.terminate();
  await expect.poll(() => ended).toHaveLength(1);
  expect(await status()).toBe('nobody');
  clock.advance(999);
  expect(threads).toHaveLength(1);
  clock.advance(1);
  await expect.poll(status, soon).toBe(200);
  expect(threads).toHaveLength(2);
});
