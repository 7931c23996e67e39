import type { FastifyReply, FastifyRequest } from 'fastify';
import { HoldfastError, toHoldfastError } from '@holdfast/kit/errors';
import { httpErrorRaised } from '@holdfast/kit/events';
import { Cancellation, type Clock } from '@holdfast/kit/time';
import { emptyRecord, type CallNext, type ModelCall } from '../../model/index.ts';
import { ClientAnswer } from './client-answer.ts';
import { noteLimits } from './note-limits.ts';
import { readCall, type CallShape } from './read-call.ts';

export interface ServeCallOptions {
  readonly pipeline: CallNext;
  readonly clock: Clock;
  /** Makes the ids of calls: UUID version 7. */
  readonly createId: () => string;
}

/** Client headers that an attempt may pass on; the provider picks from these by its own list. */
const forwardable = ['anthropic-version', 'anthropic-beta', 'openai-beta'] as const;

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

/** Hands one HTTP request to the pipeline and its answer back. */
export function serveCall(options: ServeCallOptions, shape: CallShape) {
  const { pipeline, clock, createId } = options;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const read = readCall(request.body as Buffer | undefined, request.headers, shape);
    const answer = new ClientAnswer(reply, clock);
    const cancellation = new Cancellation();
    const call: ModelCall = {
      id: createId(),
      context: {
        requestId: request.id,
        principal: request.principal!,
        cancellation,
        startedAt: clock.now() - (clock.monotonic() - request.receivedAtMs),
        startedMonotonic: request.receivedAtMs,
        address: request.client.address.text,
        userAgent: request.headers['user-agent'],
      },
      operation: shape.operation,
      dialect: shape.dialect,
      model: read.model,
      stream: read.stream,
      body: read.body,
      headers: forwardedHeaders(request.headers),
      endUser: read.endUser,
      feature: read.feature,
      sink: answer,
      record: emptyRecord(request.trace ?? undefined),
    };
    answer.belongsTo(call);
    const { raw } = reply;
    const onClose = (): void => {
      if (!raw.writableEnded) cancellation.cancel(new HoldfastError('client_closed'));
    };
    raw.on('close', onClose);
    // It may have gone while its key was looked up.
    if (raw.destroyed) onClose();
    try {
      const result = await pipeline(call);
      request.notes = notesOf(call);
      answer.complete(result);
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      noteLimits(request, call);
      request.notes = notesOf(call);
      if (!answer.begun && !raw.destroyed) {
        if (call.record.attemptsMade > 0) reply.header('x-holdfast-attempts', call.record.attemptsMade);
        throw error;
      }
      // Nobody reads an error event on a connection that is gone, but the framework must not answer it either.
      if (!answer.begun) reply.hijack();
      answer.breakOff(error);
      raise(error, request);
    }
    return reply;
  };
}

/** What an operator wants to see of a call in its access line: enough to find it in the ledger, no word of what was said. */
function notesOf({ id, record }: ModelCall): FastifyRequest['notes'] {
  const { provider, targetModel, settled } = record;
  const { usage } = settled ?? {};
  return {
    call_id: id,
    ...(provider !== undefined && { provider }),
    ...(targetModel !== undefined && { model: targetModel }),
    ...(settled && { outcome: settled.outcome }),
    ...(usage && { prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens }),
    ...(record.attemptsMade > 1 && { attempts: record.attemptsMade }),
  };
}

/** The same words for the log as of an error that the door answers; a client that left is no fault of anybody's. */
function raise(error: HoldfastError, request: FastifyRequest): void {
  request.failure = error.traits;
  if (error.code === 'client_closed') return;
  httpErrorRaised.publish({
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url,
    code: error.code,
    category: error.category,
    logLevel: error.traits.logLevel,
    error,
    organizationId: request.principal?.organizationId,
    keyId: request.principal?.keyId,
    userId: request.principal?.userId,
    traceId: request.trace?.traceId,
  });
}

function forwardedHeaders(headers: FastifyRequest['headers']): Readonly<Record<string, string>> {
  let forwarded: Record<string, string> | undefined;
  for (const name of forwardable) {
    const value = headers[name];
    if (typeof value === 'string') (forwarded ??= {})[name] = value;
  }
  return forwarded ?? noHeaders;
}
