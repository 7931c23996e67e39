import { z } from 'zod';
import { pageOf, pageQuery, timestamp } from './common/index.ts';

export const banSource = z
  .enum(['automatic', 'manual'])
  .meta({ id: 'BanSource', description: '`manual`: a person made it, and no detector changes it.' });

const example = {
  id: 'Yk3mQd8aVwX1p0sRt6uJcH2nBfE9zL4gT7yo5iK',
  range: '203.0.113.7',
  reason: 'endpoint_scanning',
  source: 'automatic',
  banned_at: '2026-11-20T09:33:28.114Z',
  ends_at: '2026-11-20T09:38:28.114Z',
  repeats: 0,
  banned_by: null,
  note: null,
} as const;

const range = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'An address or a CIDR range, IPv4 or IPv6.', examples: ['203.0.113.7', '2001:db8::/64'] });

export const maxNoteLength = 500;

const note = z
  .string()
  .max(maxNoteLength)
  .meta({ description: 'Why, in your own words.', examples: ['scraping, ticket 4711'] });

export const ban = z
  .object({
    id: z.string().meta({ description: 'Names this ban, and tells nothing of the range: it is what stands in the log.' }),
    range,
    reason: z.string().meta({
      description: 'What found it: `endpoint_scanning`, `key_guessing`, `sign_in_guessing`; `manual` for a person.',
      examples: [example.reason],
    }),
    source: banSource,
    banned_at: timestamp,
    ends_at: timestamp.nullable().meta({ description: 'Null: until it is lifted.' }),
    repeats: z.int().nonnegative().meta({ description: 'How many automatic bans came before; each makes the next one longer.' }),
    banned_by: z
      .string()
      .nullable()
      .meta({ description: 'The id of the key with which it was made; null for a detector and at the command line.' }),
    note: note.nullable(),
  })
  .meta({ id: 'Ban', description: 'Addresses whose requests are refused.', examples: [example] });

/** An unknown field is a fault: a misspelt `ends_at` would make a ban without an end. */
export const createBanRequest = z
  .strictObject({
    range,
    ends_at: z.iso
      .datetime({ offset: true })
      .nullish()
      .meta({ description: 'RFC 3339; must be in the future. Left out: until it is lifted.', examples: ['2026-11-21T00:00:00Z'] }),
    note: note.regex(/^\P{Cc}*$/u, 'must not contain control characters').nullish(),
  })
  .meta({
    id: 'CreateBanRequest',
    examples: [{ range: '203.0.113.0/24', ends_at: '2026-11-21T00:00:00Z', note: 'scraping, ticket 4711' }],
  });

export const banParams = z.object({
  id: z
    .string()
    .min(1)
    .max(128)
    .meta({ examples: [example.id] }),
});
export const listBansQuery = z.strictObject({ ...pageQuery.shape });
export const banPage = pageOf(ban).meta({ id: 'BanPage', description: 'A page of the bans in force, newest first.' });

export type BanBody = z.infer<typeof ban>;
export type CreateBanRequest = z.infer<typeof createBanRequest>;
