import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { isHoldfastError } from '../../../src/errors/index.ts';
import type { Dialect, Provider } from '../../../src/llm/spec/index.ts';
import { attemptRequest } from './replay.ts';

export interface SdkServer {
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  close(): Promise<void>;
}

/** Puts a provider behind a real HTTP server, and the official SDKs in front of it. */
export async function serveSdks(provider: Provider): Promise<SdkServer> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const dialect: Dialect = incoming.url?.includes('/messages') ? 'anthropic' : 'openai';
      const read = attemptRequest(dialect, Buffer.concat(chunks).toString());
      const operation = incoming.url?.includes('/count_tokens') ? 'count_tokens' : 'chat';
      const request = { ...read, operation, model: read.body.value['model'] as string } as const;
      response.setHeader('content-type', request.stream ? 'text/event-stream' : 'application/json');
      provider
        .attempt(request, {
          connected() {},
          pulse() {},
          head() {},
          data: (bytes) => response.write(bytes),
          drained: (callback) => void response.once('drain', callback),
        })
        .then((result) => response.end(result.tail))
        .catch((error: unknown) => {
          if (response.headersSent) return response.destroy();
          response.statusCode = isHoldfastError(error) ? error.status : 500;
          return response.end(JSON.stringify({ type: 'error', error: { type: isHoldfastError(error) ? error.code : 'unknown' } }));
        });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    openai: new OpenAI({ apiKey: 'none', baseURL: `${origin}/v1`, maxRetries: 0 }),
    anthropic: new Anthropic({ apiKey: 'none', baseURL: origin, maxRetries: 0 }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
