import type { FastifyReply, FastifyRequest } from 'fastify';
import { HoldfastError, toHoldfastError } from '@holdfast/kit/errors';
import { Cancellation, type Clock } from '@holdfast/kit/time';
import { emptyRecord, type CallNext, type ModelCall } from '../../model/index.ts';
import { ClientAnswer } from './client-answer.ts';
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
      record: emptyRecord(),
    };
    answer.belongsTo(call);
    const { raw } = reply;
    const onClose = (): void => {
      if (!raw.writableEnded) cancellation.cancel(new HoldfastError('client_closed'));
    };
    raw.on('close', onClose);
    try {
      answer.complete(await pipeline(call));
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      request.failure = error.traits;
      if (!answer.begun && !raw.destroyed) throw error;
      // Nobody reads an error event on a connection that is gone, but the framework must not answer it either.
      if (!answer.begun) reply.hijack();
      answer.breakOff(error);
    }
    return reply;
  };
}

function forwardedHeaders(headers: FastifyRequest['headers']): Readonly<Record<string, string>> {
  let forwarded: Record<string, string> | undefined;
  for (const name of forwardable) {
    const value = headers[name];
    if (typeof value === 'string') (forwarded ??= {})[name] = value;
  }
  return forwarded ?? noHeaders;
}
