import type { ErrorCategory, ErrorCode } from '../errors/index.ts';
import { defineChannel } from './channel.ts';
import type { RequestTrace } from './request-trace.ts';
import { defineScope } from './scope.ts';

/** One HTTP request whose answer has been sent, or whose client has gone. */
export interface HttpRequestFinished {
  readonly requestId: string;
  readonly method: string;
  /** The pattern of the route, such as `/api/keys/:id`; undefined when no route matched. Bounded, hence fit for a metric label. */
  readonly route: string | undefined;
  /** The path without its query, which may hold secrets. */
  readonly path: string;
  /** 499 when the client went away before the answer was sent. */
  readonly status: number;
  readonly latencyMs: number;
  /** Bytes on the wire, headers included. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /**
   * Who asked, as whoever listens may write it down: a pseudonym of the address that changes daily, unless the configuration keeps addresses.
   * Never the address itself where nobody asked for that: an announcement ends in logs, traces and reports.
   */
  readonly client: string;
  readonly organizationId: string | undefined;
  readonly keyId: string | undefined;
  readonly userId: string | undefined;
  /** Of the trace that the request belongs to, if there is one: 32 hexadecimal digits. */
  readonly traceId?: string | undefined;
  readonly errorCode: ErrorCode | undefined;
  readonly errorCategory: ErrorCategory | undefined;
  /** What the route has to say of it, such as the model that was called: for the log line, never a metric label. */
  readonly notes: Readonly<Record<string, string | number | boolean>> | undefined;
  /** The same in full, for whoever makes spans of it; undefined while tracing is off, and for probes. */
  readonly trace?: RequestTrace | undefined;
}

export const httpRequestFinished = defineChannel<HttpRequestFinished>('holdfast:http:request-finished');

/** A request that ended in an error: the detail that the client does not see. */
export interface HttpErrorRaised {
  readonly requestId: string;
  readonly method: string;
  readonly route: string | undefined;
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly logLevel: 'info' | 'warn' | 'error';
  /** Whose request it was, as far as that was known, and the trace that it belongs to. */
  readonly organizationId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly userId?: string | undefined;
  readonly traceId?: string | undefined;
  /** With `cause` and `stack`. */
  readonly error: Error;
}

export const httpErrorRaised = defineChannel<HttpErrorRaised>('holdfast:http:error-raised');

/** The handler of a request runs, with all that it awaits. Not entered for calls of models that are not sampled: their path is the hot one. */
export const httpRequestHandled = defineScope<{ readonly trace: RequestTrace }>('holdfast:http:request-handled');
