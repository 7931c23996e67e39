import type { FastifyRequest } from 'fastify';
import type { ServerResponse } from 'node:http';

/** What was said in a request and its answer; undefined where there was nothing, or more than can be looked at. */
export interface CapturedContent {
  readonly request: string | undefined;
  readonly response: string | undefined;
}

const capturedOf = Symbol('captured');

type CapturedResponse = ServerResponse & { [capturedOf]?: CapturedBytes };

interface CapturedBytes {
  readonly chunks: Buffer[];
  room: number;
}

/** A body that was parsed is written as JSON again: above this many bytes that would be work. */
const largestParsedBytes = 1024 * 1024;

/** Routes whose answers are secrets by their purpose. */
const secretRoute = /^\/api\/keys(?:\/|$)/;

/** Keeps the first bytes of the answer from now on: of Fastify's answers and of those that are written past it. */
export function captureAnswer(response: ServerResponse, maxBytes: number): void {
  const captured: CapturedBytes = { chunks: [], room: maxBytes };
  (response as CapturedResponse)[capturedOf] = captured;
  const { write, end } = response;
  response.write = function (this: ServerResponse, ...words: Parameters<typeof write>) {
    keep(captured, words[0], words[1]);
    return write.apply(this, words);
  } as typeof write;
  response.end = function (this: ServerResponse, ...words: Parameters<typeof end>) {
    keep(captured, words[0], words[1]);
    return end.apply(this, words);
  } as typeof end;
}

/** What was said, once the answer has ended; undefined when `captureAnswer` was not called, and for routes that hand out secrets. */
export function readCaptured(response: ServerResponse, request: FastifyRequest, maxBytes: number): CapturedContent | undefined {
  const captured = (response as CapturedResponse)[capturedOf];
  if (!captured || secretRoute.test(request.routeOptions?.url ?? '')) return undefined;
  return {
    request: bodyText(request, maxBytes),
    response: captured.chunks.length === 0 ? undefined : Buffer.concat(captured.chunks).toString(),
  };
}

function keep(captured: CapturedBytes, chunk: unknown, encoding: unknown): void {
  if (captured.room <= 0) return;
  const bytes =
    typeof chunk === 'string'
      ? Buffer.from(chunk.slice(0, captured.room), encoding === 'latin1' ? encoding : 'utf8')
      : chunk instanceof Uint8Array
        ? Buffer.from(chunk.subarray(0, captured.room))
        : undefined;
  if (!bytes) return;
  captured.room -= bytes.length;
  captured.chunks.push(bytes);
}

function bodyText({ body, headers }: FastifyRequest, maxBytes: number): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (Buffer.isBuffer(body)) return body.subarray(0, maxBytes).toString();
  if (Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) > largestParsedBytes) return undefined;
  return (typeof body === 'string' ? body : JSON.stringify(body)).slice(0, maxBytes);
}
