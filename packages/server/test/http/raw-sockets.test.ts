import { describe, expect, test } from 'vitest';
import { anthropicError, errorEnvelope, openaiError } from '@holdfast/contracts';
import { httpErrorRaised, type HttpErrorRaised } from '@holdfast/kit/events';
import { securityHeaders } from '../../src/entry/http/index.ts';
import { goodKey, openDoor, openSocket, parseAnswer } from './door.ts';

const start = `POST /v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${goodKey}\r\nContent-Type: application/json\r\n`;

describe('what is no HTTP', () => {
  test.each([
    ['noise', 'hello there\r\n\r\n', 400, 'malformed_http'],
    ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'malformed_http'],
    ['a header that is none', 'GET /health HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', 400, 'malformed_http'],
    ['no host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed_http'],
    ['two lengths', `${start}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'malformed_http'],
    ['a length and chunks', `${start}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'malformed_http'],
    ['a chunk size that is none', `${start}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, 'malformed_http'],
    ['a header bomb', `GET /health HTTP/1.1\r\nHost: x\r\n${'x-bomb: 1\r\n'.repeat(20_000)}\r\n`, 431, 'headers_too_large'],
    ['one huge header', `GET /health HTTP/1.1\r\nHost: x\r\nx-bomb: ${'a'.repeat(1_000_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['a huge URL', `GET /${'a'.repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, 'headers_too_large'],
  ])('%s is answered and the connection closed', async (_what, bytes, status, reason) => {
    const { port, url } = await openDoor();
    const { socket, received, closed } = await openSocket(port);
    socket.write(Buffer.from(bytes, 'latin1'));
    await closed;
    const answer = parseAnswer(received());
    expect(answer.status).toBe(status);
    expect(answer.headers['connection']).toBe('close');
    // A request whose head was read is answered in the shape of its path.
    const body = answer.body as { error: { reason?: string; code?: unknown } };
    expect(body.error.reason ?? body.error.code).toBe(reason);
    expect(errorEnvelope.safeParse(body).success || openaiError.safeParse(body).success).toBe(true);
    expect(answer.headers['x-request-id']).toBeTruthy();
    for (const [name, value] of Object.entries(securityHeaders)) expect(answer.headers[name], name).toBe(value);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});

describe('slow clients', () => {
  const limits = { headersTimeoutMs: 100, requestTimeoutMs: 200, timeoutCheckMs: 20 };

  test('headers that do not end are answered 408', async () => {
    const { port } = await openDoor(limits);
    const { socket, received, closed } = await openSocket(port);
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n');
    await closed;
    const answer = parseAnswer(received());
    expect(answer.status).toBe(408);
    expect(errorEnvelope.parse(answer.body).error.reason).toBe('request_timeout');
  });

  test.each([
    ['/v1/echo', openaiError],
    ['/v1/messages', anthropicError],
    ['/api/things/1', errorEnvelope],
  ])('a body that does not end is answered 408 in the shape of %s', async (path, schema) => {
    const { port, server } = await openDoor(limits);
    const { socket, received, closed } = await openSocket(port);
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${goodKey}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    );
    await closed;
    const answer = parseAnswer(received());
    expect(answer.status).toBe(408);
    expect(schema.safeParse(answer.body).error).toBeUndefined();
    await expect.poll(() => server.inFlight).toBe(0);
  });

  test('a connection that says nothing is closed', async () => {
    const { port, server } = await openDoor(limits);
    const { closed } = await openSocket(port);
    await closed;
    await expect.poll(() => server.openConnections).toBe(0);
  });

  test('the limits end with the request: an answer may take longer', async () => {
    const { port, release, server } = await openDoor(limits);
    const { socket, until, received } = await openSocket(port);
    socket.write(
      `POST /v1/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${goodKey}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
    await until('data: 1');
    // Another client passes both limits meanwhile, so that they have been looked at.
    const other = await openSocket(port);
    other.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n');
    await other.closed;
    expect(server.inFlight).toBe(1);
    release();
    await until('data: 2');
    expect(received()).toContain('200 OK');
    socket.destroy();
  });
});

describe('half-closed clients', () => {
  test('one that ends before its body is whole is told so', async () => {
    const { port, server } = await openDoor();
    const { socket, received, closed } = await openSocket(port, { allowHalfOpen: true });
    socket.end(`${start}Content-Length: 100\r\n\r\n{`);
    await closed;
    expect(parseAnswer(received())).toMatchObject({ status: 400, body: { error: { code: 'malformed_http' } } });
    await expect.poll(() => server.inFlight).toBe(0);
  });

  test('one that ends after its request counts as gone: nothing tells it from a client that closed', async () => {
    const { port, server } = await openDoor();
    const { socket, closed } = await openSocket(port, { allowHalfOpen: true });
    socket.end(
      `POST /v1/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${goodKey}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
    await closed;
    await expect.poll(() => server.inFlight).toBe(0);
  });

  test('one that leaves in the middle of its body is a client’s fault, not ours', async () => {
    const raised: HttpErrorRaised[] = [];
    const stop = httpErrorRaised.subscribe((event) => void raised.push(event));
    const { port, server } = await openDoor();
    const { socket } = await openSocket(port);
    socket.write(`${start}Content-Length: 100\r\n\r\n{`);
    await expect.poll(() => server.inFlight).toBe(1);
    socket.resetAndDestroy();
    await expect.poll(() => server.inFlight).toBe(0);
    stop();
    expect(raised.filter(({ logLevel }) => logLevel === 'error')).toEqual([]);
  });
});

describe('a body that is too large', () => {
  test('sent whole before the answer is read, still gets the answer', async () => {
    const { port } = await openDoor();
    const { socket, received, closed } = await openSocket(port);
    const body = Buffer.alloc(8 * 1024 * 1024, 'a');
    socket.write(`${start}Content-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
    await closed;
    expect(parseAnswer(received())).toMatchObject({
      status: 413,
      headers: { connection: 'close' },
      body: { error: { code: 'body_too_large' } },
    });
  });

  test('sent in chunks of unknown number, too', async () => {
    const { port } = await openDoor();
    const { socket, received, until } = await openSocket(port);
    socket.write(`${start}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `${(16 * 1024).toString(16)}\r\n${'a'.repeat(16 * 1024)}\r\n`;
    for (let sent = 0; sent < 20; sent++) socket.write(chunk);
    socket.write('0\r\n\r\n');
    await until('body_too_large');
    expect(parseAnswer(received()).status).toBe(413);
    socket.destroy();
  });
});

test('two requests in one packet are both answered, in order', async () => {
  const { port } = await openDoor();
  const { socket, received, closed } = await openSocket(port);
  socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await closed;
  expect(received().match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200']);
});
