import { z } from 'zod';
import { maxPageSize, pageQuery, timestamp, uuid } from '../common/index.ts';
import { priceId } from '../usage/index.ts';

/** What sums of costs can be told apart by. */
export const costGroup = z.enum(['day', 'organization', 'model', 'served_model', 'provider', 'user', 'key', 'end_user', 'feature']);

const maxGroups = 4;

const groupBy = z
  .string()
  .default('day')
  .transform((text) => text.split(','))
  .pipe(
    z
      .array(costGroup)
      .min(1)
      .max(maxGroups)
      .refine((names) => new Set(names).size === names.length, { message: 'names each group once' }),
  )
  .meta({
    description: `What to tell apart, up to ${maxGroups} of ${costGroup.options.map((name) => `\`${name}\``).join(', ')}, separated by commas. Rows come in their order.`,
    examples: ['day,model'],
  });

const name = z
  .string()
  .max(256)
  .refine((text) => !text.includes('\0'), { message: 'must not contain NUL' });

/** Filters of `GET /api/costs`; all that are given must hold. */
export const costQuery = z
  .strictObject({
    ...pageQuery.shape,
    group_by: groupBy,
    from: z.iso
      .date()
      .optional()
      .meta({ description: 'First day, in UTC: days are whole.', examples: ['2026-11-01'] }),
    to: z.iso
      .date()
      .optional()
      .meta({ description: 'The day after the last one.', examples: ['2026-12-01'] }),
    key_id: uuid.optional(),
    user_id: uuid.optional(),
    model: name.optional().meta({ description: 'The model asked for.', examples: ['fast'] }),
    provider: name.optional(),
    end_user: name.optional(),
    feature: name.optional(),
    all_organizations: z
      .enum(['true', 'false'])
      .default('false')
      .transform((text) => text === 'true')
      .meta({ description: 'Those of the whole instance: for keys with the scope `operator`.', examples: ['false'] }),
  })
  .refine((query) => query.from === undefined || query.to === undefined || query.from <= query.to, {
    path: ['to'],
    message: '`to` must not be before `from`',
  });

const count = z.int().nonnegative();
const sumNanoUsd = z
  .int()
  .nullable()
  .meta({
    description:
      'In nano-dollars (10⁻⁹ US dollars). Null when it is more than a number holds, nine million dollars: then the dollars say it.',
    examples: [187_500],
  });
const sumUsd = z
  .string()
  .regex(/^-?\d+\.\d{9}$/)
  .meta({ description: 'The same in dollars, as a string so that no digit is lost.', examples: ['0.000187500'] });

/** A group, and the sums of its calls. Of the members of the group, those are there that were asked for. */
export const costRow = z
  .object({
    day: z.iso.date().optional().meta({ description: 'In UTC.' }),
    organization_id: uuid.optional(),
    model: z.string().nullable().optional().meta({ description: 'The model asked for.' }),
    served_model: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'The model that the provider says it served; null where no provider did.' }),
    provider: z.string().nullable().optional(),
    user_id: uuid.nullable().optional().meta({ description: 'The person behind the key; null for keys that are nobody’s.' }),
    key_id: uuid.nullable().optional(),
    end_user: z.string().nullable().optional().meta({ description: 'Whom clients named; null where they named nobody.' }),
    feature: z.string().nullable().optional(),
    calls: count,
    failed_calls: count,
    interrupted_calls: count,
    unpriced_calls: count.meta({ description: 'Calls whose price is not known, or whose use is not: they are not in the cost.' }),
    prompt_tokens: count,
    completion_tokens: count,
    cached_tokens: count,
    cache_write_tokens: count,
    reasoning_tokens: count,
    cost_nano_usd: sumNanoUsd,
    cost_usd: sumUsd,
    reserved_nano_usd: sumNanoUsd.meta({
      description: 'The part of the cost that is only what was reserved for calls that were interrupted: the most that they can have cost.',
      examples: [0],
    }),
  })
  .meta({
    id: 'CostRow',
    description: 'The sums of the calls of one group, corrections included.',
    examples: [
      {
        day: '2026-11-20',
        model: 'fast',
        calls: 1204,
        failed_calls: 3,
        interrupted_calls: 0,
        unpriced_calls: 0,
        prompt_tokens: 496_048,
        completion_tokens: 115_584,
        cached_tokens: 12_000,
        cache_write_tokens: 0,
        reasoning_tokens: 0,
        cost_nano_usd: 143_757_600,
        cost_usd: '0.143757600',
        reserved_nano_usd: 0,
      },
    ],
  });

export const costPage = z
  .object({
    data: z.array(costRow).max(maxPageSize).meta({ description: 'The groups, in the order of their names; those without come last.' }),
    next_cursor: z.string().nullable().meta({ description: 'Send it as `cursor` for the next page; null on the last.' }),
  })
  .meta({ id: 'CostPage', description: 'A page of sums.' });

const tokens = z.int().min(0).max(1_000_000_000).default(0);

/** Tokens of one call, as they would be in the ledger. */
const supposedUsage = z
  .strictObject({
    prompt_tokens: tokens.meta({ description: 'Everything that goes in.', examples: [1000] }),
    completion_tokens: tokens.meta({ description: 'Everything that comes out.', examples: [500] }),
    cached_tokens: tokens.meta({ description: 'The part of the prompt that is read from a cache.' }),
    cache_write_tokens: tokens.meta({ description: 'The part of the prompt that is written to a cache.' }),
    cache_write_1h_tokens: tokens.meta({ description: 'The part of that which is kept for an hour.' }),
    reasoning_tokens: tokens.meta({ description: 'The part of the answer that is reasoning.' }),
    audio_prompt_tokens: tokens,
    audio_completion_tokens: tokens,
    image_prompt_tokens: tokens,
    image_completion_tokens: tokens,
  })
  .meta({ id: 'SupposedUsage', description: 'Tokens of one call. Parts are held to their whole.' });

/** `POST /api/costs/estimate`: what calls would cost, by their tokens or by a whole request. */
export const estimateCostRequest = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .max(512)
      .meta({ description: 'A name of the configuration, or `provider/model`.', examples: ['fast'] }),
    usage: supposedUsage.optional(),
    request: z.record(z.string(), z.unknown()).optional().meta({
      description: 'A body of a chat completion or a message: the answer says what it can cost at most, as a budget would reserve it.',
    }),
    calls: z.int().min(1).max(1_000_000_000).default(1).meta({ description: 'How many such calls.' }),
    batch: z.boolean().default(false).meta({ description: 'At the price of a batch.' }),
    at: timestamp.optional().meta({ description: 'Prices of this moment; of now without it.' }),
  })
  .refine((given) => (given.usage === undefined) !== (given.request === undefined), {
    message: 'either `usage` or `request`',
    path: ['usage'],
  })
  .meta({
    id: 'EstimateCostRequest',
    description: 'Tokens, or a request, of a model.',
    examples: [{ model: 'fast', usage: { prompt_tokens: 1000, completion_tokens: 500 } as never, calls: 1000, batch: false }],
  });

const costAtTarget = z
  .object({
    target: z
      .string()
      .meta({ description: 'One of those that may serve the model, as `provider/model`.', examples: ['primary/gpt-4o-mini'] }),
    price_id: priceId.nullable().meta({ description: 'Null where the price is not known.' }),
    cost_nano_usd: sumNanoUsd,
    cost_usd: sumUsd.nullable(),
    parts_nano_usd: z
      .object({ input: count, cached: count, cache_write: count, output: count, reasoning: count, media: count })
      .nullable()
      .meta({ description: 'Of one call, each part rounded by itself.' }),
  })
  .meta({ id: 'CostAtTarget' });

export const costEstimate = z
  .object({
    model: z.string(),
    data: z.array(costAtTarget).meta({ description: 'The targets in the order of the configuration.' }),
    most: z
      .object({
        cost_nano_usd: sumNanoUsd,
        cost_usd: sumUsd,
        prompt_tokens: count,
        completion_tokens: count,
        assumed: z.boolean().meta({
          description: 'A limit of the model is not known and was assumed: give the request a maximum, or the model one under `prices`.',
        }),
      })
      .nullable()
      .meta({
        description:
          'Of a `request`: the most that it can cost at the dearest of its targets. Null for `usage`, and where the price of one is not known.',
      }),
  })
  .meta({
    id: 'CostEstimate',
    description: 'What calls would cost, at each target that may serve them.',
    examples: [
      {
        model: 'fast',
        data: [
          {
            target: 'primary/gpt-4o-mini',
            price_id: 'q1zYb0mXk2Jp9sTd',
            cost_nano_usd: 450_000_000,
            cost_usd: '0.450000000',
            parts_nano_usd: { input: 150_000, cached: 0, cache_write: 0, output: 300_000, reasoning: 0, media: 0 },
          },
        ],
        most: null,
      },
    ],
  });

export type CostGroupName = z.infer<typeof costGroup>;
export type CostQuery = z.infer<typeof costQuery>;
export type CostRow = z.infer<typeof costRow>;
export type CostPage = z.infer<typeof costPage>;
export type EstimateCostRequest = z.infer<typeof estimateCostRequest>;
export type CostEstimate = z.infer<typeof costEstimate>;
