import { errorTraits, HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { toErrorResponse, type ErrorShape } from '../error-shape.ts';
import type { Access } from '../request-context.ts';
import type { ApiResponse } from './api-document.ts';

const components: Readonly<Record<ErrorShape, string>> = { envelope: 'ErrorEnvelope', openai: 'OpenAIError', anthropic: 'AnthropicError' };

const requestIdHeader = { 'x-request-id': { description: 'The id of the request.', schema: { type: 'string' } } };

/** What `headerFields` of the kit says of the limit that refused. A provider that refuses leaves no more than `retry-after`. */
const limitHeaders = {
  'retry-after': { description: 'Seconds to wait before the next try; absent when waiting does not help.', schema: { type: 'integer' } },
  'x-ratelimit-limit': { description: 'What the limit lets through at once, in its unit.', schema: { type: 'integer' } },
  'x-ratelimit-remaining': { description: 'What could be taken now, in the unit of the limit.', schema: { type: 'integer' } },
  'x-ratelimit-reset': { description: 'When all of the limit is there again, in Unix seconds.', schema: { type: 'integer' } },
  'ratelimit-policy': {
    description: 'The limit as a structured field (draft-ietf-httpapi-ratelimit-headers-11).',
    schema: { type: 'string' },
    example: '"organization-minute";q=100;w=60',
  },
  ratelimit: {
    description: 'What is left of it, as a structured field of the same draft.',
    schema: { type: 'string' },
    example: '"organization-minute";r=0;t=42',
  },
};

/** Errors that follow from where a route is and what it takes, so that no route has to list them. */
export function errorsOfEveryRoute(path: string, route: { readonly access: Access; readonly hasBody: boolean }): ErrorCode[] {
  const codes: ErrorCode[] = ['malformed_http', 'headers_too_large', 'internal_error'];
  if (path.startsWith('/v1') || path.startsWith('/api')) codes.push('rate_limited');
  if (route.hasBody)
    codes.push('invalid_json', 'invalid_request', 'body_too_deep', 'body_too_large', 'content_type_unsupported', 'request_timeout');
  if (route.access !== 'public')
    codes.push('key_missing', 'key_malformed', 'key_unknown', 'key_expired', 'key_revoked', 'database_unavailable');
  if (route.access !== 'public' && route.access !== 'authenticated') codes.push('scope_missing');
  if (path.startsWith('/v1') || path.startsWith('/api')) codes.push('address_banned', 'draining', 'server_overloaded');
  return codes;
}

/** One response for each status, with an example for each code, made by the very function that answers. */
export function errorResponses(codes: Iterable<ErrorCode>, shape: ErrorShape): Record<string, ApiResponse> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...codes].sort()) {
    const { status } = errorTraits(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const responses: Record<string, ApiResponse> = {};
  for (const [status, ofStatus] of byStatus) {
    responses[String(status)] = {
      description: ofStatus.map((code) => `\`${code}\`: ${errorTraits(code).message}`).join('\n\n'),
      headers: { ...requestIdHeader, ...(status === 429 && limitHeaders) },
      content: {
        'application/json': {
          schema: { $ref: `#/components/schemas/${components[shape]}` },
          examples: Object.fromEntries(ofStatus.map((code) => [code, { value: exampleOf(code, shape) }])),
        },
      },
    };
  }
  return responses;
}

function exampleOf(code: ErrorCode, shape: ErrorShape): object {
  const example = { requestId: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10', nowMs: Date.UTC(2026, 10, 20, 9, 33, 28, 114) };
  return toErrorResponse(new HoldfastError(code), shape, example).body;
}
