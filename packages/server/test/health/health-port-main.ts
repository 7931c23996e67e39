import { parentPort, workerData } from 'node:worker_threads';
import { createHealthRegistry } from '@holdfast/kit/health';
import { systemClock } from '@holdfast/kit/time';
import { openHealthPort } from '../../src/entry/health-port/index.ts';

// A server's main thread, as far as its health port is concerned: stands still when told to, until the word in shared memory changes.

const { stuckMs, standing } = workerData as { stuckMs: number; standing: Int32Array<SharedArrayBuffer> };
const health = createHealthRegistry();
const started = health.hold('starting');
const port = await openHealthPort({ host: '127.0.0.1', port: 0, stuckMs, health, version: '0', clock: systemClock });
parentPort!.on('message', async (word: 'stand' | 'ready' | 'stop' | 'close') => {
  if (word === 'ready') started();
  if (word === 'stop') health.hold('stopping');
  if (word === 'stand') {
    Atomics.store(standing, 0, 1);
    Atomics.notify(standing, 0);
    Atomics.wait(standing, 0, 1);
  }
  if (word === 'close') {
    await port.close();
    health.close();
    parentPort!.close();
  }
});
parentPort!.postMessage(port.port);
