import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { createTransport, type ResponseReader, type Transport } from '../../../src/llm/transport/index.ts';

interface Upstream {
  readonly origin: string;
  readonly server: Server;
  /** Answers that have begun and not ended. */
  readonly answers: ServerResponse[];
  /** Connections that are open at this moment. */
  connections(): number;
}

/** Answers with a head at once and with an end when the test says so. */
async function startUpstream(): Promise<Upstream> {
  const answers: ServerResponse[] = [];
  const sockets = new Set<unknown>();
  const server = createServer((_request, response) => {
    response.writeHead(200).write('begun');
    answers.push(response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, answers, connections: () => sockets.size };
}

function openTransport(allowedOrigins: readonly string[] = []): Transport {
  const transport = createTransport({ allowedOrigins });
  onTestFinished(() => transport.close());
  return transport;
}

/** Sends a request; `begun` with the first bytes of the answer, `ended` with how it ended. */
function send(transport: Transport, origin: string) {
  let begin!: () => void;
  let end!: (how: string) => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const ended = new Promise<string>((resolve) => (end = resolve));
  const reader: ResponseReader = {
    connected() {},
    response() {},
    data() {
      begin();
      return true;
    },
    end: () => end('whole'),
    failed: ({ code }) => end(code),
  };
  transport.send({ origin, method: 'GET', path: '/', headers: {}, body: undefined }, reader);
  return { begun, ended };
}

const refused = (transport: Transport, origin: string) =>
  expect(() => send(transport, origin)).toThrow(expect.objectContaining({ code: 'internal_error' }));

test('an origin can be called from when it is allowed until that is taken back', async () => {
  const { origin, answers, connections } = await startUpstream();
  const transport = openTransport();
  refused(transport, origin);
  const disallow = transport.allow(origin);
  const call = send(transport, origin);
  await call.begun;
  answers[0]!.end();
  expect(await call.ended).toBe('whole');
  await disallow();
  refused(transport, origin);
  await expect.poll(connections).toBe(0);
});

test('what runs when an origin is taken off the list comes to its end, and only then its connection closes', async () => {
  const { origin, answers, connections } = await startUpstream();
  const transport = openTransport();
  const disallow = transport.allow(origin);
  const call = send(transport, origin);
  await call.begun;
  let closed = false;
  const closing = disallow().then(() => (closed = true));
  refused(transport, origin);
  answers[0]!.write('more');
  await new Promise((resolve) => setImmediate(resolve));
  expect([closed, connections()]).toEqual([false, 1]);
  answers[0]!.end();
  expect(await call.ended).toBe('whole');
  await closing;
  await expect.poll(connections).toBe(0);
});

test('an origin that is allowed twice stays until both are taken back; one of them twice is once', async () => {
  const { origin, answers } = await startUpstream();
  const transport = openTransport([origin]);
  const disallow = transport.allow(origin);
  await disallow();
  await disallow();
  const call = send(transport, origin);
  await call.begun;
  answers[0]!.end();
  expect(await call.ended).toBe('whole');
});

test('an origin that comes back while its old connections still end gets new ones', async () => {
  const { origin, answers } = await startUpstream();
  const transport = openTransport();
  const disallow = transport.allow(origin);
  const old = send(transport, origin);
  await old.begun;
  const closing = disallow();
  transport.allow(origin);
  const young = send(transport, origin);
  await young.begun;
  for (const answer of answers) answer.end();
  expect([await old.ended, await young.ended]).toEqual(['whole', 'whole']);
  await closing;
});

test('closing the transport breaks off what still runs on an origin that was taken back', async () => {
  const { origin, connections } = await startUpstream();
  const transport = createTransport({ allowedOrigins: [] });
  const disallow = transport.allow(origin);
  const call = send(transport, origin);
  await call.begun;
  const closing = disallow();
  await transport.close();
  expect(await call.ended).toBe('stream_cut');
  await closing;
  await expect.poll(connections).toBe(0);
});
