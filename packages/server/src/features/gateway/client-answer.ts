import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { HoldfastError } from '@holdfast/kit/errors';
import type { AttemptHead, AttemptResult } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { toAnthropicStreamError, toOpenaiStreamError } from '@holdfast/contracts';
import type { CallSink, ModelCall } from '../../model/index.ts';
import { noteLimits } from './note-limits.ts';

/** With its head, what Node writes as text without asking for memory: 16 KiB. */
const maxTextBytes = 12 * 1024;

/** The part of a Fastify reply that is used here. */
export interface RawReply {
  readonly raw: ServerResponse;
  readonly request: Pick<FastifyRequest, 'rateLimitDecision'>;
  hijack(): unknown;
  rawHeaders(): string[];
}

/**
 * Writes the answer of one call past the framework: the bytes are ready, and every layer between them and the socket
 * costs. An error before the first byte is not written here: it is thrown, and answered where all errors are.
 */
export class ClientAnswer implements CallSink {
  readonly #reply: RawReply;
  readonly #clock: Clock;
  #call: ModelCall | undefined;
  #begun = false;

  constructor(reply: RawReply, clock: Clock) {
    this.#reply = reply;
    this.#clock = clock;
  }

  get begun(): boolean {
    return this.#begun;
  }

  belongsTo(call: ModelCall): void {
    this.#call = call;
  }

  head(head: AttemptHead): void {
    const { record } = this.#call!;
    this.#writeHead(head, 'text/event-stream; charset=utf-8', undefined, record.waitedForHeadMs ?? 0);
  }

  data(bytes: Buffer): boolean {
    return this.#reply.raw.write(bytes);
  }

  drained(callback: () => void): void {
    this.#reply.raw.once('drain', callback);
  }

  /** Nothing is held back here. */
  abandon(): void {}

  /** The answer is whole and recorded: the client may have its end. */
  complete(result: AttemptResult): void {
    const { raw } = this.#reply;
    const { tail } = result;
    if (!this.#begun) {
      const { stream, record } = this.#call!;
      // A stream that finished at once never had a head: its length is known by now.
      this.#writeHead(
        result.head,
        stream ? 'text/event-stream; charset=utf-8' : 'application/json; charset=utf-8',
        tail.length,
        record.providerMs + record.pausedMs,
      );
      // Text goes out in one piece with its head, from the stack; bytes would be a second piece, with objects to carry both.
      if (tail.length <= maxTextBytes) return void raw.end(tail.toString('latin1'), 'latin1');
    }
    raw.end(tail);
  }

  /** The answer broke off after its first byte: the last event says so, in a way on which the client's SDK raises. */
  breakOff(error: HoldfastError): void {
    const { raw } = this.#reply;
    if (raw.destroyed || raw.writableEnded) return;
    const { context: of, record } = this.#call!;
    const context = { requestId: of.requestId, traceId: record.tracing?.trace.traceId };
    raw.end(this.#call!.dialect === 'anthropic' ? toAnthropicStreamError(error, context) : toOpenaiStreamError(error, context));
  }

  #writeHead(head: AttemptHead, contentType: string, length: number | undefined, waitedMs: number): void {
    this.#begun = true;
    const { context, record, dialect } = this.#call!;
    this.#reply.hijack();
    noteLimits(this.#reply.request, this.#call!);
    const headers = this.#reply.rawHeaders();
    headers.push('content-type', contentType);
    if (length === undefined) headers.push('cache-control', 'no-cache', 'x-accel-buffering', 'no');
    else headers.push('content-length', String(length));
    if (dialect === 'anthropic') headers.push('request-id', context.requestId);
    headers.push('x-holdfast-provider', record.provider ?? '', 'x-holdfast-model', headerText(record.targetModel ?? ''));
    const overheadMs = Math.max(0, this.#clock.monotonic() - context.startedMonotonic - waitedMs);
    headers.push('x-holdfast-attempts', String(record.attemptsMade));
    headers.push('x-holdfast-overhead-ms', overheadMs.toFixed(3));
    for (const name in head.headers) headers.push(name, head.headers[name]!);
    this.#reply.raw.writeHead(200, headers);
  }
}

/** Model names are chosen by clients too: what a header may not hold is left out. */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, 256);
}
