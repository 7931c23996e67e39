import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toEnvelope } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import { expect, onTestFinished, test } from 'vitest';
import { createServerClient } from './index.ts';

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const ask = (origin: string) => createServerClient({ origin, key: 'marked-key', timeoutMs: 300 }).post('/path', { a: 1 });

test('sends the key and the body, and gives the answer', async () => {
  let seen: unknown;
  const origin = await serve((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen = [request.method, request.url, request.headers.authorization, body];
      response.end('{"ok":true}');
    });
  });
  expect(await ask(origin)).toEqual({ ok: true });
  expect(seen).toEqual(['POST', '/path', 'Bearer marked-key', '{"a":1}']);
});

test('throws the error that the server answers', async () => {
  const { status, body } = toEnvelope(new HoldfastError('scope_missing', { details: { scope: 'operator' } }), { requestId: 'r', nowMs: 0 });
  const origin = await serve((_request, response) => void response.writeHead(status).end(JSON.stringify(body)));
  await expect(ask(origin)).rejects.toMatchObject({ code: 'scope_missing', details: { scope: 'operator' } });
});

test.each<[string, RequestListener]>([
  ['another program', (_request, response) => void response.end('<html>')],
  ['a redirect, which is not followed', (_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['an error of a proxy', (_request, response) => void response.writeHead(502).end('Bad Gateway')],
  ['nobody in time', () => {}],
  ['a connection that is cut', (request) => void request.socket.destroy()],
])('%s is no server', async (_name, listener) => {
  const origin = await serve(listener);
  const error = await ask(origin).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'server_unreachable', message: expect.stringContaining(origin) });
  expect((error as Error).message).not.toContain('marked-key');
});

test('nobody there is told with where it was looked for', async () => {
  await expect(ask('http://127.0.0.1:1')).rejects.toMatchObject({
    code: 'server_unreachable',
    message: expect.stringMatching(/127\.0\.0\.1:1.*ECONNREFUSED/),
  });
});
