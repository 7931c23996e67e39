import { z } from 'zod';
import { costNanoUsd, costUsd, pageOf, pageQuery, requestId, timestamp, uuid } from '../common/index.ts';
import { errorReason } from '../errors/index.ts';

export const callOutcome = z.enum(['completed', 'failed', 'refused', 'aborted', 'interrupted']).meta({
  id: 'CallOutcome',
  description:
    '`completed`: the client got the whole answer. `failed`: no provider gave one. `refused`: turned away before a provider was asked. `aborted`: the client went away. `interrupted`: the server stopped in the middle.',
});

const tokens = z.int().nonnegative().nullable();

/** Made of all that a price says: the same price has the same id for ever. */
export const priceId = z.string().regex(/^[\w-]{16}$/);

/** Tokens that may have a price of their own, each a part of the prompt's or the answer's. What is absent was not reported. */
export const usageDetails = z
  .object({
    cache_write_1h_tokens: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'The part of `cache_write_tokens` that is kept for an hour.' }),
    audio_prompt_tokens: z.int().nonnegative().optional(),
    audio_completion_tokens: z.int().nonnegative().optional(),
    image_prompt_tokens: z.int().nonnegative().optional(),
    image_completion_tokens: z.int().nonnegative().optional(),
  })
  .meta({ id: 'UsageDetails', description: 'Tokens of sound, of pictures, and of what is kept for an hour.' });

/** One try at one target. */
const callAttempt = z
  .looseObject({
    provider: z.string().meta({ examples: ['primary'] }),
    model: z.string().meta({ examples: ['gpt-4o-mini'] }),
    outcome: z.enum(['completed', 'failed', 'aborted', 'cancelled', 'refused']).optional().meta({
      description:
        '`refused`: kept from the target by its breaker or for want of a slot. `cancelled`: another attempt for the same call was the first to have something.',
    }),
    error_code: errorReason.nullable().optional(),
    latency_ms: z.number().nonnegative().optional(),
    prompt_tokens: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'Of an attempt that was stopped beside the one that answered: what it used, not among the tokens of the row.' }),
    completion_tokens: z.int().nonnegative().optional(),
    usage_source: z.enum(['provider', 'estimated']).optional(),
    cost_nano_usd: costNanoUsd.optional().meta({ description: 'What that cost: a part of the cost of the row.' }),
  })
  .meta({ id: 'CallAttempt' });

/** One call of the ledger. */
export const usageRow = z
  .object({
    id: uuid.meta({ description: 'The call’s own id, made by the server; unique.' }),
    request_id: requestId.meta({ description: 'The id of the request. Clients choose it, so several calls may share one.' }),
    key_id: uuid.nullable(),
    user_id: uuid.nullable().meta({ description: 'The person behind the key, when it is somebody’s own.' }),
    end_user: z.string().nullable().meta({ description: 'Whom the client named in `user` or `metadata`: for reports, never an identity.' }),
    feature: z
      .string()
      .nullable()
      .meta({ description: 'What the client named in `x-holdfast-feature` or `metadata`.', examples: ['support-chat'] }),
    operation: z.enum(['chat', 'embeddings', 'count_tokens']),
    dialect: z.enum(['openai', 'anthropic']),
    streamed: z.boolean(),
    model_asked: z.string().meta({ examples: ['fast'] }),
    model_served: z
      .string()
      .nullable()
      .meta({ examples: ['gpt-4o-mini-2024-07-18'] }),
    provider: z
      .string()
      .nullable()
      .meta({ examples: ['primary'] }),
    prompt_tokens: tokens.meta({ examples: [412] }),
    completion_tokens: tokens.meta({ examples: [96] }),
    cached_tokens: tokens.meta({ description: 'The part of `prompt_tokens` that the provider read from its cache.', examples: [0] }),
    cache_write_tokens: tokens.meta({ description: 'The part of `prompt_tokens` that the provider wrote to its cache.', examples: [0] }),
    reasoning_tokens: tokens.meta({ description: 'The part of `completion_tokens` that was reasoning.', examples: [0] }),
    usage_details: usageDetails.nullable(),
    usage_source: z.enum(['provider', 'estimated', 'none']).meta({ description: 'Who counted the tokens.' }),
    cost_nano_usd: costNanoUsd,
    cost_usd: costUsd,
    price_id: priceId.nullable().meta({
      description: 'The price that the call was reckoned by; null when it is not known, or nothing was used.',
      examples: ['q1zYb0mXk2Jp9sTd'],
    }),
    outcome: callOutcome,
    error_code: z.string().nullable().meta({ description: 'The code of the error table, when the call did not complete.' }),
    finish_reason: z
      .string()
      .nullable()
      .meta({ description: 'In the provider’s words.', examples: ['stop'] }),
    status: z
      .int()
      .nullable()
      .meta({ description: 'The HTTP status that the client got.', examples: [200] }),
    latency_ms: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ examples: [842.6] }),
    first_token_ms: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ examples: [310.2] }),
    overhead_ms: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: 'The part of the latency that was Holdfast’s own.', examples: [0.31] }),
    layers: z
      .record(z.string(), z.number())
      .nullable()
      .meta({ description: 'Milliseconds by layer.', examples: [{ door: 0.18, ledger: 0.21, provider: 841.9 }] }),
    attempts: z.array(callAttempt).nullable(),
    started_at: timestamp,
    finished_at: timestamp.nullable(),
  })
  .meta({
    id: 'UsageRow',
    description: 'One model call, as the ledger keeps it.',
    examples: [
      {
        id: '019a9c5a-7d41-7a10-8b2c-5d3e7f9a1c24',
        request_id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
        key_id: '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01',
        user_id: null,
        end_user: 'customer-4711',
        feature: 'support-chat',
        operation: 'chat',
        dialect: 'openai',
        streamed: true,
        model_asked: 'fast',
        model_served: 'gpt-4o-mini-2024-07-18',
        provider: 'primary',
        prompt_tokens: 412,
        completion_tokens: 96,
        cached_tokens: 0,
        cache_write_tokens: 0,
        reasoning_tokens: 0,
        usage_details: null,
        usage_source: 'provider',
        cost_nano_usd: 119400,
        cost_usd: '0.000119400',
        price_id: 'q1zYb0mXk2Jp9sTd',
        outcome: 'completed',
        error_code: null,
        finish_reason: 'stop',
        status: 200,
        latency_ms: 842.6,
        first_token_ms: 310.2,
        overhead_ms: 0.31,
        layers: { door: 0.18, ledger: 0.21, provider: 841.9 },
        attempts: [{ provider: 'primary', model: 'gpt-4o-mini', error_code: null, latency_ms: 841.9 }],
        started_at: '2026-11-20T09:33:28.114Z',
        finished_at: '2026-11-20T09:33:28.957Z',
      },
    ],
  });

/** Filters of `GET /api/usage`; all that are given must hold. An unknown one is a fault, not ignored. */
export const usageQuery = z
  .strictObject({
    ...pageQuery.shape,
    from: timestamp.optional().meta({ description: 'Calls that started at this time or later.', examples: ['2026-11-01T00:00:00Z'] }),
    to: timestamp.optional().meta({ description: 'Calls that started before this time.', examples: ['2026-12-01T00:00:00Z'] }),
    key_id: uuid.optional(),
    user_id: uuid.optional(),
    model: z
      .string()
      .max(256)
      .optional()
      .meta({ description: 'The model asked for.', examples: ['fast'] }),
    provider: z.string().max(128).optional(),
    operation: z.enum(['chat', 'embeddings', 'count_tokens']).optional(),
    outcome: callOutcome.optional(),
    request_id: z.string().max(128).optional(),
    end_user: z.string().max(256).optional(),
    feature: z.string().max(256).optional(),
  })
  .refine((query) => query.from === undefined || query.to === undefined || Date.parse(query.from) <= Date.parse(query.to), {
    path: ['to'],
    message: '`to` must not be before `from`',
  });

export const usagePage = pageOf(usageRow).meta({
  id: 'UsagePage',
  description:
    'A page of calls, newest first. For one page the server goes through 20,000 calls at most, so that it may hold fewer than `limit`, even none, while `next_cursor` says where to go on.',
});

export type UsageRow = z.infer<typeof usageRow>;
export type UsageQuery = z.infer<typeof usageQuery>;
export type UsagePage = z.infer<typeof usagePage>;
export type CallOutcomeName = z.infer<typeof callOutcome>;
