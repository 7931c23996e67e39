import { once } from 'node:events';
import { createServer, request as httpRequest, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Agent, request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { causeTraits, classifyFailure } from '../../src/resilience/index.ts';

// What Node, undici and the official SDKs really throw, and not what this module believes that they do.

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port on which nobody listens any more. */
async function deadOrigin(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  );
}

/** Node's own client, whose errors come as events. */
function get(origin: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    httpRequest(origin, (response) =>
      pipeline(response, async (chunks) => {
        for await (const chunk of chunks) void chunk;
      }).then(resolve, reject),
    )
      .on('error', reject)
      .end();
  });
}

const reset: RequestListener = (incoming) => void incoming.socket.resetAndDestroy();
const hangUp: RequestListener = (incoming) => void incoming.socket.destroy();
const cut: RequestListener = (_incoming, outgoing) => {
  outgoing.writeHead(200, { 'content-length': 100 }).write('half');
  setImmediate(() => outgoing.socket!.destroy());
};

describe('a connection that fails is tried again', () => {
  const clients: Record<string, (origin: string) => Promise<unknown>> = {
    fetch: async (origin) => (await fetch(origin)).text(),
    undici: async (origin) => (await request(origin)).body.text(),
    'node:http': get,
    'OpenAI SDK': (origin) => new OpenAI({ baseURL: origin, apiKey: 'k', maxRetries: 0 }).models.list(),
    'Anthropic SDK': (origin) => new Anthropic({ baseURL: origin, apiKey: 'k', maxRetries: 0 }).models.list(),
  };

  describe.each(Object.keys(clients))('%s', (client) => {
    const ask = clients[client]!;
    test('nobody listens', async () => {
      expect(classifyFailure(await thrownBy(ask(await deadOrigin())))).toBe('transient');
    });
    test.each([
      ['reset before the head', reset],
      ['closed before the head', hangUp],
      ['cut in the middle of the body', cut],
    ] as const)('%s', async (_, listener) => {
      expect(classifyFailure(await thrownBy(ask(await serve(listener))))).toBe('transient');
    });
  });

  test('a bare socket', async () => {
    const socket = connect(Number(new URL(await deadOrigin()).port), '127.0.0.1');
    expect(classifyFailure(await thrownBy(once(socket, 'data')))).toBe('transient');
  });

  test('a name that nobody knows, at this moment', async () => {
    // `.invalid` is kept free of names for ever (RFC 6761); the answer to it, or that there is none, is the resolver's own.
    const error = await thrownBy(get('http://holdfast.invalid/'));
    expect((error as { syscall?: string }).syscall).toBe('getaddrinfo');
    expect(classifyFailure(error)).toBe('transient');
  });
});

describe('time that runs out', () => {
  const silent: RequestListener = () => {};
  const silentBody: RequestListener = (_incoming, outgoing) => void outgoing.writeHead(200).write('begun');

  test.concurrent.each([
    ['headers', silent, { headersTimeout: 1 }],
    ['body', silentBody, { bodyTimeout: 1 }],
  ] as const)('in a client, waiting for the %s, is tried again', async (_, listener, limits) => {
    const dispatcher = new Agent(limits);
    const error = await thrownBy(request(await serve(listener), { dispatcher }).then(({ body }) => body.text()));
    expect(classifyFailure(error)).toBe('transient');
    expect(classifyFailure(await thrownBy(fetch(await serve(listener), { dispatcher } as object).then((answer) => answer.text())))).toBe(
      'transient',
    );
    await dispatcher.destroy();
  });

  test('in a signal is tried again, and one that was aborted is not', async () => {
    const origin = await serve(silent);
    expect(classifyFailure(await thrownBy(fetch(origin, { signal: AbortSignal.timeout(1) })))).toBe('transient');
    expect(classifyFailure(await thrownBy(fetch(origin, { signal: AbortSignal.abort() })))).toBe('cancelled');
    const controller = new AbortController();
    const aborted = thrownBy(request(origin, { signal: controller.signal }));
    controller.abort();
    expect(classifyFailure(await aborted)).toBe('cancelled');
  });
});

describe('an answer', () => {
  // As the providers document them, and RFC 9110 for those that they share with everybody.
  const again = [408, 429, 500, 502, 503, 504, 529];
  const notHere = [401, 402, 403];
  const never = [400, 404, 405, 409, 410, 413, 415, 422, 451, 501, 505];
  const sdks: Record<string, (origin: string) => Promise<unknown>> = {
    'OpenAI SDK': (origin) => new OpenAI({ baseURL: origin, apiKey: 'k', maxRetries: 0 }).models.list(),
    'Anthropic SDK': (origin) => new Anthropic({ baseURL: origin, apiKey: 'k', maxRetries: 0 }).models.list(),
  };

  test.each(Object.keys(sdks))('is judged by its status, as the %s throws it', async (sdk) => {
    const origin = await serve((incoming, outgoing) => {
      outgoing.writeHead(Number(new URL(incoming.url!, 'http://x').pathname.split('/')[1]), { 'content-type': 'application/json' });
      outgoing.end('{"error":{"type":"invalid_request_error","message":"no"}}');
    });
    const traitsOf = async (status: number) => causeTraits[classifyFailure(await thrownBy(sdks[sdk]!(`${origin}/${status}`)))];
    for (const status of again)
      expect(await traitsOf(status), String(status)).toMatchObject({ retriedOnSameTarget: true, mayTryNextTarget: true });
    for (const status of notHere)
      expect(await traitsOf(status), String(status)).toMatchObject({ retriedOnSameTarget: false, mayTryNextTarget: true });
    for (const status of never)
      expect(await traitsOf(status), String(status)).toMatchObject({ retriedOnSameTarget: false, mayTryNextTarget: false });
  });
});
