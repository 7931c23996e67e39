import { httpRequestFinished } from '@holdfast/kit/events';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const requestOf = Symbol('request');
const trackerOf = Symbol('tracker');
const readBefore = Symbol('bytes read before');
const writtenBefore = Symbol('bytes written before');
const peer = Symbol('peer address');

type TrackedResponse = ServerResponse & { [requestOf]?: FastifyRequest | undefined; [trackerOf]?: RequestTracker };
type TrackedSocket = Socket & { [readBefore]?: number; [writtenBefore]?: number; [peer]?: string | undefined };

/**
 * Knows which requests are in flight, and announces each as it ends, whichever way: answered through Fastify, written
 * past it, or left by its client. (Fastify's own `onResponse` says nothing of the last.) One listener a request, shared by all: no closure.
 */
export class RequestTracker {
  readonly #clock: Clock;
  #inFlight = 0;
  #openConnections = 0;
  #whenIdle: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get inFlight(): number {
    return this.#inFlight;
  }
  get openConnections(): number {
    return this.#openConnections;
  }

  watch(server: Server): void {
    server.on('connection', (socket: TrackedSocket) => {
      // Asked for now: a socket whose other end has gone no longer knows.
      socket[peer] = socket.remoteAddress;
      this.#openConnections++;
      socket.once('close', () => void this.#openConnections--);
    });
  }

  /** Counts the request until its response is closed. MUST be called once a request. */
  open(request: FastifyRequest, reply: FastifyReply): void {
    request.receivedAtMs = this.#clock.monotonic();
    this.#inFlight++;
    const response = reply.raw as TrackedResponse;
    response[requestOf] = request;
    response[trackerOf] = this;
    response.on('close', onClose);
  }

  /** Resolves when nothing is in flight; at once when nothing is. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#whenIdle.push(resolve));
  }

  close(response: ServerResponse, request: FastifyRequest): void {
    this.#inFlight--;
    if (httpRequestFinished.hasSubscribers) this.#announce(response, request);
    if (this.#inFlight === 0 && this.#whenIdle.length > 0) {
      const waiting = this.#whenIdle;
      this.#whenIdle = [];
      for (const resolve of waiting) resolve();
    }
  }

  #announce(response: ServerResponse, request: FastifyRequest): void {
    const socket: TrackedSocket = request.raw.socket;
    // Counters of the whole connection: what was there before this request belongs to those before it.
    const read = socket.bytesRead;
    const written = socket.bytesWritten;
    const requestBytes = read - (socket[readBefore] ?? 0);
    const responseBytes = written - (socket[writtenBefore] ?? 0);
    socket[readBefore] = read;
    socket[writtenBefore] = written;
    const gone = !response.writableFinished;
    const { principal, failure } = request;
    const url = request.raw.url ?? '';
    const query = url.indexOf('?');
    httpRequestFinished.publish({
      requestId: request.id,
      method: request.method,
      route: request.is404 ? undefined : request.routeOptions.url,
      path: query < 0 ? url : url.slice(0, query),
      status: gone ? 499 : response.statusCode,
      latencyMs: this.#clock.monotonic() - request.receivedAtMs,
      requestBytes: Math.max(0, requestBytes),
      responseBytes: Math.max(0, responseBytes),
      clientAddress: socket[peer] ?? 'unknown',
      organizationId: principal?.organizationId,
      keyId: principal?.keyId,
      userId: principal?.userId,
      errorCode: gone ? 'client_closed' : failure?.code,
      errorCategory: gone ? 'timeout' : failure?.category,
      notes: request.notes ?? undefined,
    });
  }
}

function onClose(this: TrackedResponse): void {
  const request = this[requestOf];
  const tracker = this[trackerOf];
  if (!request || !tracker) return;
  this[requestOf] = undefined;
  tracker.close(this, request);
}
