import { HoldfastError, isHoldfastError, toHoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { hasZodFastifySchemaValidationErrors } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';

/** Fastify's own refusals in our words. What is not here is a fault of the server. */
const codes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'content_type_unsupported',
  FST_ERR_CTP_INVALID_TYPE: 'content_type_unsupported',
  FST_ERR_CTP_EMPTY_TYPE: 'content_type_unsupported',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_http',
  FST_ERR_BAD_URL: 'route_not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'route_not_found',
  FST_ERR_PARAM_TOO_LONG: 'route_not_found',
  FST_ERR_NOT_FOUND: 'route_not_found',
};

/** More than a person would read; a body of a million faults must not become a larger answer. */
const mostFields = 20;

/** Whatever a request ended with, as one of ours. */
export function fromThrown(thrown: unknown, request: Pick<FastifyRequest, 'raw'>): HoldfastError {
  if (isHoldfastError(thrown)) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown))
    return new HoldfastError('invalid_request', { details: fieldsAtFault(thrown), cause: thrown });
  const fault = thrown as { readonly code?: unknown } | null;
  const code = typeof fault?.code === 'string' ? fault.code : '';
  const known = codes[code];
  if (known) return new HoldfastError(known, { cause: thrown });
  // The body broke off because its sender went away: not a fault of ours, and nobody reads the answer.
  if (code === 'ECONNRESET' && request.raw.destroyed) return new HoldfastError('client_closed', { cause: thrown });
  return toHoldfastError(thrown);
}

interface ValidationFault {
  readonly validation: readonly {
    readonly keyword?: string;
    readonly instancePath: string;
    readonly message?: string;
    readonly params?: unknown;
  }[];
}

function fieldsAtFault(fault: ValidationFault): { field: string; message: string }[] {
  const fields: { field: string; message: string }[] = [];
  for (const issue of fault.validation) {
    const path = issue.instancePath.split('/').filter(Boolean);
    const unknown = issue.keyword === 'unrecognized_keys' ? (issue.params as { keys?: readonly string[] } | undefined)?.keys : undefined;
    for (const name of unknown ?? [undefined]) {
      if (fields.length === mostFields) return fields;
      fields.push({
        field: [...path, ...(name === undefined ? [] : [name.slice(0, 100)])].join('.'),
        message: name === undefined ? (issue.message ?? 'Invalid').slice(0, 300) : 'Not known here',
      });
    }
  }
  return fields;
}
