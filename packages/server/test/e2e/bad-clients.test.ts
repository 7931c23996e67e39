import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Socket } from 'node:net';
import { securityHeaders } from '../../src/entry/http/index.ts';
import { openSocket, parseAnswer } from '../http/door.ts';
import { Evidence, forgetPeakMemory, metric, peakMemoryMiB, promptMark } from './support/evidence.ts';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const operatorKey = 'operator-bootstrap-key-0123456789-abcdef';

let gateway: Gateway;
let port: number;
const evidence = new Evidence(() => gateway);
beforeAll(async () => {
  gateway = await startGateway({
    env: {
      HOLDFAST_BOOTSTRAP_KEY: operatorKey,
      HOLDFAST_HEADERS_TIMEOUT_MS: '300',
      HOLDFAST_REQUEST_TIMEOUT_MS: '600',
      LOG_LEVEL: 'debug',
    },
    limits: { firstTokenMs: 60_000, stallMs: 60_000, totalMs: 60_000 },
  });
  port = Number(new URL(gateway.server.url).port);
});
afterEach(() => gateway.upstream.reset());
afterAll(() => gateway.stop());

/** A socket to the server, whose beginnings of answers are evidence. */
async function open(options: { readonly allowHalfOpen?: boolean } = {}): ReturnType<typeof openSocket> {
  const client = await openSocket(port, options);
  void client.closed.then(() => evidence.answers.push(client.received().slice(0, 4_096)));
  return client;
}

/** The head of a request, without its last line break. */
function head(line: string, headers: Record<string, string | number> = {}): string {
  const all = {
    host: 'x',
    authorization: `Bearer ${operatorKey}`,
    ...(line.startsWith('POST') && { 'content-type': 'application/json' }),
    ...headers,
  };
  return `${line} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}`;
}

function chat(model: string, body: object = {}, headers: Record<string, string> = {}): string {
  const text = JSON.stringify({ model, messages: [{ role: 'user', content: promptMark }], ...body });
  return `${head('POST /v1/chat/completions', { 'content-length': Buffer.byteLength(text), ...headers })}\r\n${text}`;
}

/** Writes on and on until the other end has closed. */
async function drip(socket: Socket, text: string, closed: Promise<void>): Promise<void> {
  const timer = setInterval(() => socket.writable && socket.write(text), 50);
  await closed;
  clearInterval(timer);
}

/** Health answers, and nothing but that question is in progress. */
async function expectAtRest(): Promise<void> {
  await expect.poll(() => metric(gateway, 'holdfast_http_requests_in_progress'), { timeout: 10_000 }).toBe(1);
  expect((await evidence.send('/health/ready')).status).toBe(200);
}

// They spend their time waiting for the same limit: together.
describe.concurrent('slow clients', () => {
  test('headers that drip in without end are answered 408', async () => {
    const { socket, received, closed } = await open();
    socket.write(head('GET /v1/models'));
    await drip(socket, 'x-more: 1\r\n', closed);
    expect(parseAnswer(received())).toMatchObject({
      status: 408,
      headers: { connection: 'close', ...securityHeaders },
      body: { error: { reason: 'request_timeout' } },
    });
  });

  test.each(['/v1/chat/completions', '/v1/messages', '/api/keys'])(
    'a body that drips in without end is answered 408 at %s, and no provider hears of it',
    async (path) => {
      const { socket, received, closed } = await open();
      socket.write(`${head(`POST ${path}`, { 'content-length': 1_000_000 })}\r\n{"x":"`);
      await drip(socket, 'a', closed);
      const answer = parseAnswer(received());
      expect([answer.status, answer.body.error.reason ?? answer.body.error.code]).toEqual([408, 'request_timeout']);
      expect(gateway.upstream.calls).toEqual([]);
    },
  );

  test('more is announced than comes: 408 after the limit, and nothing was asked', async () => {
    const { socket, received, closed } = await open();
    socket.write(chat('fast').replace(/content-length: (\d+)/, (_match, length: string) => `content-length: ${Number(length) + 1}`));
    await closed;
    expect(parseAnswer(received()).status).toBe(408);
    expect(gateway.upstream.calls).toEqual([]);
  });
});

test('three hundred slow clients hold nobody up, and all are let go', async () => {
  const before = await metric(gateway, 'holdfast_http_open_connections');
  const clients = await Promise.all(Array.from({ length: 300 }, () => open()));
  for (const [index, { socket }] of clients.entries()) {
    if (index % 3 === 0) socket.write('G');
    if (index % 3 === 1) socket.write(`${head('POST /v1/chat/completions', { 'content-length': 100 })}\r\n{`);
  }
  expect((await evidence.chat('fast')).status).toBe(200);
  await Promise.all(clients.map(({ closed }) => closed));
  await expect.poll(() => metric(gateway, 'holdfast_http_open_connections')).toBeLessThanOrEqual(before);
  await expectAtRest();
});

describe('lengths that are not true', () => {
  test('more comes than was announced: what is over is no request', async () => {
    const { socket, received, closed } = await open();
    socket.write(
      chat('fast')
        .replace(/content-length: \d+/, 'content-length: 2')
        .replace(/\r\n\r\n\{/, '\r\n\r\n{}{'),
    );
    await closed;
    expect(new Set(received().match(/HTTP\/1\.1 \d+/g))).toEqual(new Set(['HTTP/1.1 400']));
    expect(gateway.upstream.calls).toEqual([]);
  });

  test.each([
    ['two lengths', `${head('POST /v1/chat/completions', { 'content-length': 2 })}content-length: 3\r\n\r\n{}`],
    ['a length and chunks', `${head('POST /v1/chat/completions', { 'content-length': 2, 'transfer-encoding': 'chunked' })}\r\n0\r\n\r\n`],
    ['a length below zero', `${head('POST /v1/chat/completions', { 'content-length': -1 })}\r\n{}`],
    ['a chunk of no size', `${head('POST /v1/chat/completions', { 'transfer-encoding': 'chunked' })}\r\nzz\r\n`],
    ['an encoding within chunks', `${head('POST /v1/chat/completions', { 'transfer-encoding': 'gzip, chunked, identity' })}\r\n0\r\n\r\n`],
    ['a line that is folded', `${head('GET /v1/models')}x-request-id: a\r\n b\r\n\r\n`],
    ['a control character in a header', `${head('GET /v1/models')}x-request-id: a\x01b\r\n\r\n`],
    ['a bare line feed that begins a header', `${head('GET /v1/models')}x-request-id: a\nx-evil: 1\x00\r\n\r\n`],
    ['a header bomb', `${head('GET /v1/models')}${'x-bomb: 1\r\n'.repeat(5_000)}\r\n`],
    ['a header of a megabyte', `${head('GET /v1/models')}x-bomb: ${'a'.repeat(1_000_000)}\r\n\r\n`],
    ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('%s: refused, the connection closed, nobody asked', async (_what, bytes) => {
    const { socket, received, closed } = await open();
    socket.write(Buffer.from(bytes, 'latin1'));
    await closed;
    const { status, headers, body } = parseAnswer(received());
    expect([400, 431]).toContain(status);
    expect(headers).toMatchObject({ connection: 'close', ...securityHeaders });
    expect(headers['x-evil']).toBeUndefined();
    expect(body.error.message).toBeTruthy();
    expect(gateway.upstream.calls).toEqual([]);
  });
});

describe('many requests on one connection', () => {
  test('are answered in their order, streams among them, and each has its row', async () => {
    const ids = [requestId(), requestId(), requestId()];
    // The first is the slowest: its answer has to come first all the same.
    gateway.upstream.enqueue({ firstTokenDelayMs: 100, text: 'first' }, { chunks: 3, spacingMs: 10 }, { text: 'third' });
    const { socket, received, closed } = await open();
    socket.write(
      chat('fast', {}, { 'x-request-id': ids[0]! }) +
        chat('fast', { stream: true }, { 'x-request-id': ids[1]! }) +
        chat('fast', {}, { 'x-request-id': ids[2]!, connection: 'close' }),
    );
    await closed;
    const at = [...ids.map((id) => `x-request-id: ${id}`), '[DONE]'].map((text) => received().indexOf(text));
    expect(at.every((index) => index > 0)).toBe(true);
    expect(at.slice(0, 3)).toEqual(at.slice(0, 3).toSorted((a, b) => a - b));
    expect(at[3]! > at[1]! && at[3]! < at[2]!).toBe(true);
    for (const id of ids) expect(await gateway.rowsOf(id)).toMatchObject([{ outcome: 'completed' }]);
  });

  test('a bad one is answered in its turn, and what follows it is not believed', async () => {
    const { socket, received, closed } = await open();
    socket.write(`${chat('fast')}GET /health HTTP/1.1\r\nbad header\r\n\r\n${chat('fast')}`);
    await closed;
    expect(received().match(/HTTP\/1\.1 \d+/g)!.length).toBeLessThanOrEqual(2);
    expect(gateway.upstream.calls.length).toBeLessThanOrEqual(1);
    await expectAtRest();
  });

  test('a client that waits for leave to send its body gets it, and is refused before it sends when it has no key', async () => {
    const body = chat('fast').split('\r\n\r\n')[1]!;
    const good = await open();
    good.socket.write(`${head('POST /v1/chat/completions', { 'content-length': body.length, expect: '100-continue' })}\r\n`);
    await good.until('100 Continue');
    good.socket.write(body);
    await good.until('word0');
    good.socket.destroy();
    const bad = await open();
    bad.socket.write(
      `${head('POST /v1/chat/completions', { authorization: 'none', 'content-length': body.length, expect: '100-continue' })}\r\n`,
    );
    await bad.until('key_missing');
    bad.socket.destroy();
  });
});

describe('clients that go', () => {
  // As nginx, Go and Node have it: an end of the client's side is how a client that went away looks, and most often is.
  test('one that closes its side after the request counts as gone: the provider is stopped, the call recorded', async () => {
    gateway.upstream.script('gpt-4o-mini', { chunks: 10_000, spacingMs: 5 });
    const id = requestId();
    const { socket, until } = await open({ allowHalfOpen: true });
    socket.write(chat('fast', { stream: true }, { 'x-request-id': id }));
    await until('word0');
    socket.end();
    await gateway.upstream.waitFor(([call]) => call?.outcome === 'client_closed');
    expect(await gateway.rowsOf(id)).toMatchObject([{ outcome: 'aborted', error_code: 'client_closed' }]);
    socket.destroy();
  });

  test('one that ends before its body is whole is told so, and nobody is asked', async () => {
    const { socket, received, closed } = await open({ allowHalfOpen: true });
    socket.end(chat('fast').slice(0, -10));
    await closed;
    expect(parseAnswer(received())).toMatchObject({ status: 400, body: { error: { code: 'malformed_http' } } });
    expect(gateway.upstream.calls).toEqual([]);
  });

  test('two hundred at once: every provider call is stopped and recorded, and nothing is left', async () => {
    gateway.upstream.script('gpt-4o-mini', { chunks: 10_000, spacingMs: 20 });
    gateway.upstream.script('text-embedding-3-small', { kind: 'silent' });
    const id = requestId();
    const clients = await Promise.all(Array.from({ length: 200 }, () => open()));
    for (const [index, { socket }] of clients.entries()) {
      // Half of them in the middle of a stream, half before the first byte.
      socket.write(
        index % 2 === 0 ? chat('fast', { stream: true }, { 'x-request-id': id }) : chat('fast', { stream: false }, { 'x-request-id': id }),
      );
    }
    await gateway.upstream.waitFor((calls) => calls.length === 200);
    await Promise.all(clients.filter((_, index) => index % 2 === 0).map(({ until }) => until('word0')));
    for (const { socket } of clients) socket.destroy();
    await gateway.upstream.waitFor((calls) => calls.filter((call) => call.outcome === 'open').length === 0 || undefined);
    await expectAtRest();
    await expect.poll(async () => (await evidence.send(`/api/usage?request_id=${id}&limit=200`)).json.data.length).toBe(200);
    const { data } = (await evidence.send(`/api/usage?request_id=${id}&outcome=aborted&limit=200`)).json;
    // A plain answer may have been whole before its client went.
    expect(data.length).toBeGreaterThanOrEqual(100);
  });
});

describe('clients that read nothing', () => {
  test('cost the server little memory and the provider no more than the buffers hold; others are served meanwhile', async () => {
    const wordBytes = 64 * 1024;
    const text = Array.from({ length: 400 }, () => 'w'.repeat(wordBytes)).join(' ');
    gateway.upstream.script('gpt-4o-mini', { text });
    const id = requestId();
    const stuck = await Promise.all(Array.from({ length: 8 }, () => open()));
    forgetPeakMemory(gateway.server.pid);
    const before = peakMemoryMiB(gateway.server.pid);
    for (const { socket } of stuck) {
      socket.pause();
      socket.write(chat('fast', { stream: true }, { 'x-request-id': id }));
    }
    await gateway.upstream.waitFor((calls) => calls.filter((call) => call.bytesSent > wordBytes).length === 8);
    // Until nothing more flows: all buffers between provider and client are full.
    let sent = -1;
    await expect
      .poll(
        () => {
          const last = sent;
          sent = gateway.upstream.calls.reduce((sum, call) => sum + call.bytesSent, 0);
          return sent === last;
        },
        { interval: 200 },
      )
      .toBe(true);
    for (const call of gateway.upstream.calls) expect([call.outcome, call.bytesSent < text.length / 2]).toEqual(['open', true]);
    gateway.upstream.script('gpt-4o-mini', {});
    expect((await evidence.chat('fast')).status).toBe(200);
    expect(peakMemoryMiB(gateway.server.pid) - before).toBeLessThan(150);
    for (const { socket } of stuck) socket.destroy();
    await gateway.upstream.waitFor((calls) => calls.every((call) => call.outcome !== 'open'));
    await expectAtRest();
    await expect.poll(async () => (await evidence.send(`/api/usage?request_id=${id}&outcome=aborted`)).json.data.length).toBe(8);
  });

  test('one that reads slowly gets all of it', async () => {
    gateway.upstream.script('gpt-4o-mini', { text: Array.from({ length: 100 }, () => 'w'.repeat(64 * 1024)).join(' ') });
    const { socket, received, closed } = await open();
    socket.pause();
    socket.write(chat('fast', { stream: true }, { connection: 'close' }));
    await gateway.upstream.waitFor(([call]) => (call?.bytesSent ?? 0) > 100_000);
    socket.resume();
    await closed;
    expect(received().length).toBeGreaterThan(100 * 64 * 1024);
    expect(received()).toContain('data: [DONE]');
  });
});

test('nothing of all this told a secret', () => {
  evidence.expectClean([operatorKey, 'sk-upstream-secret', 'sk-ant-upstream-secret', 'sk-down']);
});
