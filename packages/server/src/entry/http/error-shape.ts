import { toAnthropicError, toEnvelope, toOpenaiError, type ErrorResponse } from '@holdfast/contracts';
import type { HoldfastError } from '@holdfast/kit/errors';
import type { IncomingHttpHeaders } from 'node:http';

export type ErrorShape = 'openai' | 'anthropic' | 'envelope';

/** By the path alone, so that it can be told before any route is found, and when none is. */
export function errorShapeOf(url: string, headers: IncomingHttpHeaders = {}): ErrorShape {
  if (!url.startsWith('/v1') || !endsSegment(url, 3)) return 'envelope';
  if (url.startsWith('/v1/messages') && endsSegment(url, 12)) return 'anthropic';
  // Both dialects list models at this path; Anthropic's SDKs always send their version.
  if (url.startsWith('/v1/models') && endsSegment(url, 10) && headers['anthropic-version'] !== undefined) return 'anthropic';
  return 'openai';
}

function endsSegment(url: string, at: number): boolean {
  return url.length === at || url[at] === '/' || url[at] === '?';
}

export interface ErrorAnswerContext {
  readonly requestId: string;
  /** While tracing is on. */
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

export function toErrorResponse(error: HoldfastError, shape: ErrorShape, context: ErrorAnswerContext): ErrorResponse<object> {
  const answer =
    shape === 'openai'
      ? toOpenaiError(error, context)
      : shape === 'anthropic'
        ? toAnthropicError(error, context)
        : toEnvelope(error, context);
  // RFC 9110 §11.6.1 asks for the challenge on every 401.
  return error.status === 401 ? { ...answer, headers: { ...answer.headers, 'www-authenticate': 'Bearer' } } : answer;
}
