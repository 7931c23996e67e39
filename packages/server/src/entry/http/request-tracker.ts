import { httpRequestFinished, type HttpRequestFinished, type RequestTrace } from '@holdfast/kit/events';
import type { ClientIp } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { captureAnswer, readCaptured, type CapturedContent } from './content-capture.ts';
import type { Connections } from './connections.ts';
import { isForOperators } from './shedding.ts';

/** Where a request stands in its caller's trace, or in one of its own: read from its headers, which anybody may have written. MUST NOT throw. */
export type BeginTrace = (headers: IncomingHttpHeaders) => RequestTrace;

/** Who keeps a record of every request. On the path of each: it MUST be cheap, and MUST NOT throw. */
export interface RequestRecorder {
  /** Bytes of what was said in the request and in its answer that are handed over, each. 0: none. */
  readonly contentBytes: number;
  add(event: HttpRequestFinished, content: CapturedContent | undefined): void;
}

const requestOf = Symbol('request');
const trackerOf = Symbol('tracker');

type TrackedResponse = ServerResponse & { [requestOf]?: FastifyRequest | undefined; [trackerOf]?: RequestTracker };

/**
 * Knows which requests are in flight, and announces each as it ends, whichever way: answered through Fastify, written
 * past it, or left by its client. (Fastify's own `onResponse` says nothing of the last.) One listener a request, shared by all: no closure.
 */
export class RequestTracker {
  readonly #clock: Clock;
  readonly #connections: Connections;
  readonly #nameClient: (client: ClientIp) => string;
  readonly #beginTrace: BeginTrace | undefined;
  readonly #recorder: RequestRecorder | undefined;
  #inFlight = 0;
  #whenIdle: (() => void)[] = [];

  /** `nameClient` gives what may be written down of a client. */
  constructor(
    clock: Clock,
    connections: Connections,
    nameClient: (client: ClientIp) => string,
    beginTrace?: BeginTrace,
    recorder?: RequestRecorder,
  ) {
    this.#recorder = recorder;
    this.#beginTrace = beginTrace;
    this.#clock = clock;
    this.#connections = connections;
    this.#nameClient = nameClient;
  }

  /** Requests whose answers have not reached the operating system. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Counts the request until its response is closed. MUST be called once a request. */
  open(request: FastifyRequest, reply: FastifyReply): void {
    request.receivedAtMs = this.#clock.monotonic();
    this.#inFlight++;
    // A request that Fastify refuses before it has a route has not the member that others were given up front.
    request.trace =
      this.#beginTrace === undefined || isForOperators(request.routeOptions?.url ?? '') ? null : this.#beginTrace(request.raw.headers);
    request.client = this.#connections.begin(request.raw.socket, request.raw.headers);
    const response = reply.raw as TrackedResponse;
    response[requestOf] = request;
    response[trackerOf] = this;
    if (this.#recorder !== undefined && this.#recorder.contentBytes > 0) captureAnswer(response, this.#recorder.contentBytes);
    response.on('close', onClose);
  }

  /** Resolves when nothing is in flight; at once when nothing is. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#whenIdle.push(resolve));
  }

  close(response: ServerResponse, request: FastifyRequest): void {
    this.#inFlight--;
    const moved = this.#connections.end(request.raw.socket);
    if (httpRequestFinished.hasSubscribers || this.#recorder !== undefined) this.#announce(response, request, moved);
    if (this.#inFlight === 0 && this.#whenIdle.length > 0) {
      const waiting = this.#whenIdle;
      this.#whenIdle = [];
      for (const resolve of waiting) resolve();
    }
  }

  #announce(response: ServerResponse, request: FastifyRequest, moved: ReturnType<Connections['end']>): void {
    const gone = !response.writableFinished;
    const { principal, failure } = request;
    const url = request.raw.url ?? '';
    const query = url.indexOf('?');
    const event: HttpRequestFinished = {
      requestId: request.id,
      method: request.method,
      route: request.is404 ? undefined : request.routeOptions.url,
      path: query < 0 ? url : url.slice(0, query),
      status: gone ? 499 : response.statusCode,
      latencyMs: this.#clock.monotonic() - request.receivedAtMs,
      requestBytes: moved.requestBytes,
      responseBytes: moved.responseBytes,
      client: this.#nameClient(request.client),
      organizationId: principal?.organizationId,
      keyId: principal?.keyId,
      userId: principal?.userId,
      errorCode: gone ? 'client_closed' : failure?.code,
      errorCategory: gone ? 'timeout' : failure?.category,
      notes: request.notes ?? undefined,
      traceId: request.trace?.traceId,
      trace: request.trace ?? undefined,
    };
    httpRequestFinished.publish(event);
    const recorder = this.#recorder;
    if (recorder === undefined) return;
    recorder.add(event, recorder.contentBytes > 0 ? readCaptured(response, request, recorder.contentBytes) : undefined);
  }
}

function onClose(this: TrackedResponse): void {
  const request = this[requestOf];
  const tracker = this[trackerOf];
  if (!request || !tracker) return;
  this[requestOf] = undefined;
  tracker.close(this, request);
}
