import { z } from 'zod';
import { pageOf, pageQuery, requestId, timestamp, uuid } from './common/index.ts';

const entryFields = {
  id: uuid.meta({ description: 'Of the row; made by the server, unique.' }),
  at: timestamp.meta({ description: 'When the answer had been sent, or the client had gone.' }),
  instance: z.string().meta({ examples: ['gateway-7c9f:1'] }),
  request_id: requestId.meta({ description: 'Clients may choose it, so several requests may share one.' }),
  trace_id: z
    .string()
    .nullable()
    .meta({ examples: ['4bf92f3577b34da6a3ce929d0e0e4736'] }),
  call_id: uuid.nullable().meta({ description: 'Of the row of the ledger, when a model was called.' }),
  organization_id: uuid.nullable().meta({ description: 'null when no valid key came with it.' }),
  key_id: uuid.nullable(),
  user_id: uuid.nullable(),
  method: z.string().meta({ examples: ['POST'] }),
  route: z
    .string()
    .nullable()
    .meta({ description: 'The pattern, never the path; null when no route matched.', examples: ['/v1/chat/completions'] }),
  status: z.int().meta({ description: '499 when the client went away before the answer was sent.', examples: [200] }),
  error_code: z.string().nullable().meta({ description: 'The code of the error table.' }),
  latency_ms: z
    .number()
    .nonnegative()
    .meta({ examples: [842.61] }),
  request_bytes: z
    .int()
    .nonnegative()
    .meta({ description: 'On the wire, headers included.', examples: [512] }),
  response_bytes: z
    .int()
    .nonnegative()
    .meta({ examples: [2048] }),
};

const requestLogEntry = z.object(entryFields).meta({ id: 'RequestLogEntry', description: 'One request that was answered.' });

export const requestLogDetail = z
  .object({
    ...entryFields,
    request_content: z.string().nullable().meta({ description: 'Masked and cut; null unless the configuration has it kept.' }),
    response_content: z
      .string()
      .nullable()
      .meta({ description: 'The same of the answer; of a stream, its pieces put together by where they stood.' }),
  })
  .meta({ id: 'RequestLogDetail', description: 'One request, with what was said.' });

export const requestLogPage = pageOf(requestLogEntry).meta({
  id: 'RequestLogPage',
  description:
    'A page of requests. For one page the server goes through 20,000 rows at most, so that it may hold fewer than `limit`, even none, while `next_cursor` says where to go on.',
});

/** Filters of `GET /api/request-log`; all that are given must hold. */
export const requestLogQuery = z
  .strictObject({
    ...pageQuery.shape,
    from: timestamp.optional(),
    to: timestamp.optional().meta({ description: 'Before this time.' }),
    route: z
      .string()
      .max(256)
      .optional()
      .meta({ examples: ['/v1/chat/completions'] }),
    method: z
      .string()
      .max(32)
      .optional()
      .meta({ examples: ['POST'] }),
    status: z
      .string()
      .regex(/^[1-9](?:xx|\d\d)$/)
      .optional()
      .meta({ description: 'One status, or a class of them.', examples: ['5xx'] }),
    error_code: z.string().max(128).optional(),
    organization_id: uuid.optional(),
    key_id: uuid.optional(),
    user_id: uuid.optional(),
    request_id: z.string().max(128).optional(),
    min_latency_ms: z.coerce
      .number()
      .nonnegative()
      .optional()
      .meta({ description: 'Requests that took at least so long.', examples: [1000] }),
  })
  .refine((query) => query.from === undefined || query.to === undefined || Date.parse(query.from) <= Date.parse(query.to), {
    path: ['to'],
    message: '`to` must not be before `from`',
  });

export const requestLogParams = z.strictObject({ id: uuid });

export type RequestLogEntry = z.infer<typeof requestLogEntry>;
export type RequestLogDetail = z.infer<typeof requestLogDetail>;
export type RequestLogPage = z.infer<typeof requestLogPage>;
export type RequestLogQuery = z.infer<typeof requestLogQuery>;
