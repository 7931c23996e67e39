import { errorCategories, errorTable, type ErrorCategory, type ErrorCode } from '@holdfast/kit/errors';
import { z } from 'zod';
import { requestId, timestamp, traceId } from '../common/index.ts';

const categories = Object.keys(errorCategories) as [ErrorCategory, ...ErrorCategory[]];
const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

export const errorReason = z.enum(codes).meta({
  id: 'ErrorReason',
  description: 'What exactly went wrong. The reference page of errors has a section for each.',
});

const details = z
  .unknown()
  .meta({ description: 'What a program can act on, such as the fields at fault. Only where there is something to say.' });

/** The answer of every `/api` route that fails. */
export const errorEnvelope = z
  .object({
    error: z.object({
      code: z.int().min(400).max(599).meta({ description: 'The HTTP status.' }),
      reason: errorReason,
      category: z.enum(categories).meta({ description: 'The kind of fault; fixes status, log level and retry advice.' }),
      message: z.string().meta({ description: 'What happened and what to do next, for people.' }),
      details: details.optional(),
      retry_after: z.int().positive().optional().meta({ description: 'Seconds to wait before another try; also in `Retry-After`.' }),
      timestamp,
      request_id: requestId,
      trace_id: traceId.optional(),
    }),
  })
  .meta({
    id: 'ErrorEnvelope',
    description: 'What a route of `/api` answers when it fails.',
    examples: [
      {
        error: {
          code: 400,
          reason: 'invalid_request',
          category: 'validation',
          message: errorTable.invalid_request.message,
          details: [{ field: 'limit', message: 'Too big: expected number to be <=200' }],
          timestamp: '2026-11-20T09:33:28.114Z',
          request_id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
        },
      },
    ],
  });

export const openaiErrorTypes = [
  'invalid_request_error',
  'authentication_error',
  'permission_error',
  'insufficient_quota',
  'rate_limit_error',
  'server_error',
] as const;

/** OpenAI's shape. `details` and `request_id` are ours; its SDKs ignore what they do not know. */
export const openaiError = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.enum(openaiErrorTypes),
      param: z.string().nullable().meta({ description: 'The member of the body at fault, where one is.' }),
      code: errorReason,
      details: details.optional(),
      request_id: requestId,
      trace_id: traceId.optional(),
    }),
  })
  .meta({
    id: 'OpenAIError',
    description: 'What an OpenAI-shaped route answers when it fails.',
    examples: [
      {
        error: {
          message: errorTable.model_not_found.message,
          type: 'invalid_request_error',
          param: null,
          code: 'model_not_found',
          request_id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
        },
      },
    ],
  });

export const anthropicErrorTypes = [
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
  'conflict_error',
  'request_too_large',
  'rate_limit_error',
  'timeout_error',
  'api_error',
  'overloaded_error',
] as const;

/** Anthropic's shape. `code` and `details` are ours; its SDKs ignore what they do not know. */
export const anthropicError = z
  .object({
    type: z.literal('error'),
    error: z.object({
      type: z.enum(anthropicErrorTypes),
      message: z.string(),
      code: errorReason,
      details: details.optional(),
    }),
    request_id: requestId,
    trace_id: traceId.optional(),
  })
  .meta({
    id: 'AnthropicError',
    description: 'What an Anthropic-shaped route answers when it fails.',
    examples: [
      {
        type: 'error',
        error: { type: 'not_found_error', message: errorTable.model_not_found.message, code: 'model_not_found' },
        request_id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
      },
    ],
  });

export type ErrorEnvelope = z.infer<typeof errorEnvelope>;
export type OpenaiError = z.infer<typeof openaiError>;
export type AnthropicError = z.infer<typeof anthropicError>;
export type OpenaiErrorType = (typeof openaiErrorTypes)[number];
export type AnthropicErrorType = (typeof anthropicErrorTypes)[number];
