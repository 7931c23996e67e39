import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { toAnthropicStreamError, toOpenaiStreamError } from '@holdfast/contracts';
import { errorTable, HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/entry/http/index.ts';
import type { Principal } from '../../src/model/index.ts';

export const goodKey = 'good-key';

const principal: Principal = {
  organizationId: '019a9c5a-0000-7000-8000-000000000001',
  organizationTier: 'unlimited',
  keyId: '019a9c5a-0000-7000-8000-000000000002',
  userId: undefined,
  scopes: new Set(['inference', 'usage:read']),
  allowedModels: undefined,
};

export interface Door {
  readonly server: HttpServer;
  readonly port: number;
  readonly url: string;
  /** Lets the answers of `/v1/slow` go on. */
  release(): void;
}

/** The real door on a real port, with routes that do what their body or path says. Closed when the test ends. */
export async function openDoor({
  addRoutes,
  ...options
}: Partial<HttpServerOptions> & {
  /** Routes of a feature beside those of the door. */
  readonly addRoutes?: (app: HttpServer['app']) => unknown;
} = {}): Promise<Door> {
  const server = await createHttpServer({
    clock: systemClock,
    createId: createUuidV7(systemClock, systemRandom),
    version: '1.2.3',
    maxBodyBytes: 64 * 1024,
    corsOrigins: ['https://app.example'],
    authenticate: (secret) => {
      if (secret === goodKey) return principal;
      if (secret === 'slow-key') return Promise.resolve(principal);
      if (secret === 'broken') return Promise.reject(new HoldfastError('database_unavailable', { detail: 'host 10.1.2.3' }));
      throw new HoldfastError(secret.startsWith('hf_') ? 'key_unknown' : 'key_malformed');
    },
    ...options,
  });
  await addRoutes?.(server.app);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();

  server.addGateway(async (app) => {
    // Answers what it was sent, past the framework, as the gateway does.
    app.post('/echo', { config: { access: 'inference' } }, (request, reply) => {
      reply.hijack();
      const body = request.body as Buffer;
      reply.raw.writeHead(200, [...reply.rawHeaders(), 'content-type', 'application/octet-stream', 'content-length', String(body.length)]);
      reply.raw.end(body);
    });
    app.post('/slow', { config: { access: 'inference' } }, async (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, [...reply.rawHeaders(), 'content-type', 'text/event-stream']);
      reply.raw.write('data: 1\n\n');
      await released;
      reply.raw.end('data: 2\n\n');
      return reply;
    });
    for (const path of ['/chat/completions', '/messages'] as const) {
      app.post(path, { config: { access: 'public' } }, (request, reply) => {
        const { model, stream } = JSON.parse((request.body as Buffer).toString()) as { model: string; stream?: boolean };
        if (model === 'throws') throw new TypeError('secret path /etc/holdfast');
        const error = new HoldfastError(
          model as ErrorCode,
          { retryAfterSeconds: model === 'provider_rate_limited' ? 7 : undefined } as object,
        );
        if (!stream) throw error;
        reply.hijack();
        reply.raw.writeHead(200, [...reply.rawHeaders(), 'content-type', 'text/event-stream']);
        const context = { requestId: request.id };
        if (path === '/messages') {
          reply.raw.write(
            'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
          );
          reply.raw.end(toAnthropicStreamError(error, context));
        } else {
          reply.raw.write(
            'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null}]}\n\n',
          );
          reply.raw.end(toOpenaiStreamError(error, context));
        }
      });
    }
    app.get('/models', { config: { access: 'inference' } }, () => ({ data: [] }));
  });

  server.app.post(
    '/api/things/:id',
    { config: { access: 'usage:read' }, schema: { body: z.strictObject({ name: z.string().max(5), nested: z.unknown() }) } },
    (request) => ({
      name: request.body.name,
    }),
  );
  server.app.get('/api/errors/:code', { config: { access: 'public' } }, (request) => {
    throw new HoldfastError((request.params as { code: ErrorCode }).code, { detail: 'host 10.1.2.3', retryAfterSeconds: 2 });
  });
  server.app.get('/api/throws', { config: { access: 'public' } }, () => {
    throw new TypeError('secret path /etc/holdfast');
  });
  server.app.get('/api/keys-only', { config: { access: 'keys:write' } }, () => ({}));
  server.app.get('/api/any-key', { config: { access: 'authenticated' } }, (request) => ({ key_id: request.principal?.keyId }));
  server.app.get('/health', { config: { access: 'public' } }, () => ({ status: 'healthy' }));

  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    release();
    await server.drain({ timeoutMs: 0 });
  });
  return { server, port, url: `http://127.0.0.1:${port}`, release };
}

/** A plain socket to the server, which remembers what it got. */
export async function openSocket(
  port: number,
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<{ socket: Socket; received: () => string; closed: Promise<void>; until(text: string): Promise<void> }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: options.allowHalfOpen ?? false });
  const chunks: Buffer[] = [];
  const received = () => Buffer.concat(chunks).toString('latin1');
  const waiting = new Map<string, () => void>();
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (waiting.size === 0) return;
    const text = received();
    for (const [wanted, resolve] of waiting) {
      if (!text.includes(wanted)) continue;
      waiting.delete(wanted);
      resolve();
    }
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return {
    socket,
    received,
    closed,
    until: (wanted) =>
      new Promise((resolve) => {
        if (received().includes(wanted)) resolve();
        else waiting.set(wanted, resolve);
      }),
  };
}

/** Status, headers and JSON body of the only answer in what a socket received. */
export function parseAnswer(text: string): { status: number; headers: Record<string, string>; body: any } {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = text.slice(end + 4);
  return { status: Number(statusLine.split(' ')[1]), headers, body: body === '' ? undefined : JSON.parse(body) };
}

export const allCodes = Object.keys(errorTable) as ErrorCode[];
