import { createServer } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@holdfast/kit/time';
import { answerProbe } from './answer-probe.ts';
import { readBeat } from './beat.ts';
import type { ReadinessMessage, ThreadData, ThreadMessage } from './messages.ts';
import { createSilenceMeter } from './silence.ts';

// What runs in the thread that serves probes apart from the main one. It stands on nothing of the server but the counter in shared
// memory, so that whatever keeps the main thread cannot keep it.

const { host, port, stuckMs, version, beat, readiness: atStart } = workerData as ThreadData;
const main = parentPort!;
const lookEveryMs = Math.min(100, stuckMs / 5);
const silence = createSilenceMeter(lookEveryMs, systemClock.monotonic());
let readiness = atStart;

main.on('message', (message: ReadinessMessage) => {
  readiness = message.readiness;
});

function look(): void {
  silence.look(readBeat(beat), systemClock.monotonic());
  systemClock.setTimeout(look, lookEveryMs, true);
}
look();

const server = createServer(
  // A probe is a few bytes that come at once: whoever takes longer is none.
  { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 8 * 1024 },
  (request, response) => {
    request.resume();
    const answer = answerProbe(
      { method: request.method, url: request.url, accept: request.headers.accept },
      { readiness, silentMs: silence.silentMs, stuckMs, nowMs: systemClock.now(), version },
    );
    const headers = { 'x-content-type-options': 'nosniff', ...('headers' in answer && answer.headers) };
    const body = 'body' in answer ? answer.body : '';
    response.writeHead(answer.statusCode, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  },
);
server.maxConnections = 1_000;
const tell = (message: ThreadMessage): void => main.postMessage(message);
server.once('error', ({ code, message }: NodeJS.ErrnoException) => tell({ kind: 'failed', code, message }));
server.listen({ host, port }, () => {
  const address = server.address();
  const at = typeof address === 'object' && address !== null ? { host: address.address, port: address.port } : { host, port };
  tell({ kind: 'listening', ...at });
});
