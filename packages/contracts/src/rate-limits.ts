import { z } from 'zod';
import { maxPageSize, timestamp, uuid } from './common/index.ts';

const example = {
  level: 'organization-minute',
  subject: '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01',
  limit: 30,
  remaining: 4,
  reset_at: '2026-11-20T09:34:28.000Z',
} as const;

export const rateLimitBucket = z
  .object({
    level: z.string().meta({ description: 'Which limit it is, by the name that header fields show.' }),
    subject: z.string().meta({ description: 'Whose bucket it is: an id, an address (of IPv6 its /64), or `everybody`.' }),
    limit: z.int().positive().nullable().meta({ description: 'Units that the bucket holds; null when they are only counted.' }),
    remaining: z.int().nonnegative().nullable().meta({ description: 'Units that could be taken now; null without a limit.' }),
    reset_at: timestamp.meta({ description: 'When it is as good as new if nobody takes from it.' }),
  })
  .meta({ id: 'RateLimitBucket', description: 'What is left of one limit.', examples: [example] });

export const rateLimitList = z
  .object({
    data: z.array(rateLimitBucket),
    next_cursor: z.null().meta({ description: 'The list ends here: of many buckets only the fullest are shown.' }),
  })
  .meta({ id: 'RateLimitList', description: 'Limits and what is left of them.', examples: [{ data: [example], next_cursor: null }] });

export const rateLimitsQuery = z
  .strictObject({
    limit: z.coerce.number().int().min(1).max(maxPageSize).default(20).meta({ description: 'Most buckets to send.' }),
    level: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
      .optional()
      .meta({ description: 'Only of this limit.', examples: ['ip-minute'] }),
    organization_id: uuid.optional().meta({ description: 'The buckets of this organization, full or not.' }),
    address: z
      .union([z.ipv4(), z.ipv6()])
      .optional()
      .meta({ description: 'The buckets of this address, full or not.', examples: ['203.0.113.7'] }),
  })
  .refine(({ organization_id, address }) => organization_id === undefined || address === undefined, {
    path: ['address'],
    message: 'cannot be asked for together with organization_id',
  });

export type RateLimitBucketBody = z.infer<typeof rateLimitBucket>;
export type RateLimitListBody = z.infer<typeof rateLimitList>;
export type RateLimitsQuery = z.infer<typeof rateLimitsQuery>;
