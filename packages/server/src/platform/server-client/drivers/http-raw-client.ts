import { HoldfastError } from '@holdfast/kit/errors';
import { Agent, request } from 'undici';
import type { RawClient } from '../raw-client.ts';

export interface RawClientOptions {
  readonly origin: string;
  /** Which address of this machine requests come from. Default: what the system chooses. */
  readonly localAddress?: string | undefined;
  /** For an answer, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
}

export function createRawClient({ origin, localAddress, timeoutMs = 15_000 }: RawClientOptions): RawClient {
  const dispatcher = new Agent({
    connections: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: localAddress === undefined ? {} : { localAddress },
  });
  return {
    async send({ method, path, key, body }) {
      try {
        const {
          statusCode,
          headers,
          body: answer,
        } = await request(origin + path, {
          method: method as 'GET',
          headers: {
            'user-agent': 'holdfast-endpoint-tests',
            ...(key !== undefined && { authorization: `Bearer ${key}` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          body: body === undefined ? null : JSON.stringify(body),
          dispatcher,
        });
        const retryAfter = Number(headers['retry-after']);
        return {
          status: statusCode,
          contentType: String(headers['content-type'] ?? '')
            .split(';')[0]!
            .trim(),
          retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
          text: await answer.text(),
        };
      } catch (cause) {
        throw new HoldfastError('server_unreachable', {
          detail: `${method} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
          cause,
        });
      }
    },
    close: () => dispatcher.close(),
  };
}
