import { z } from 'zod';
import { pageOf, pageQuery, timestamp, uuid } from './common/index.ts';

export const keyScope = z.enum(['inference', 'usage:read', 'keys:write', 'audit:read', 'operator']).meta({
  id: 'KeyScope',
  description:
    '`inference` calls models, `usage:read` reads the ledger, `keys:write` manages keys, `audit:read` reads the audit log, `operator` administers the instance.',
});

export const keyStatusName = z.enum(['active', 'replaced', 'expired', 'revoked']).meta({
  id: 'KeyStatus',
  description: '`replaced`: was rotated, and works until `expires_at`.',
});

const exampleKey = {
  id: '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01',
  name: 'support chat, production',
  prefix: 'hf_b9zt9j',
  status: 'active',
  scopes: ['inference'],
  allowed_models: ['fast'],
  requests_per_minute: 60,
  tokens_per_minute: 100_000,
  concurrent: null,
  user_id: null,
  created_at: '2026-11-20T09:33:28.114Z',
  created_by_key_id: '019a9c4f-02bb-7c11-9a22-1d7c8b9fa012',
  expires_at: null,
  revoked_at: null,
  replaced_by: null,
  last_used_at: '2026-11-20T10:02:11.000Z',
} as const;

const limitDescriptions = {
  requests_per_minute: 'Calls of models in any minute',
  tokens_per_minute: 'Tokens of models a minute, prompts and answers together',
  concurrent: 'Calls of models under way at once',
} as const;

/** Larger ones limit nothing that a server could serve. */
const limit = (name: keyof typeof limitDescriptions, most: number) =>
  z
    .int()
    .min(1)
    .max(most)
    .nullish()
    .meta({ description: `${limitDescriptions[name]}; null does not limit the key.` });

const limitRequest = {
  requests_per_minute: limit('requests_per_minute', 1_000_000_000),
  tokens_per_minute: limit('tokens_per_minute', 1_000_000_000),
  concurrent: limit('concurrent', 1_000_000),
};

const limitShown = (name: keyof typeof limitDescriptions) =>
  z
    .int()
    .nullable()
    .meta({ description: `${limitDescriptions[name]}; null does not limit the key.` });

const keyFields = {
  id: uuid,
  name: z.string(),
  prefix: z.string().meta({ description: 'The first characters of the key, to find it by.', examples: [exampleKey.prefix] }),
  status: keyStatusName,
  scopes: z.array(keyScope),
  allowed_models: z.array(z.string()).nullable().meta({ description: 'Models that the key may ask for; null allows all.' }),
  requests_per_minute: limitShown('requests_per_minute'),
  tokens_per_minute: limitShown('tokens_per_minute'),
  concurrent: limitShown('concurrent'),
  user_id: uuid.nullable().meta({ description: 'The person behind the key, when it is somebody’s own.' }),
  created_at: timestamp,
  created_by_key_id: uuid.nullable().meta({ description: 'The key that it was made with; null at the command line.' }),
  expires_at: timestamp.nullable(),
  revoked_at: timestamp.nullable(),
  replaced_by: uuid.nullable().meta({ description: 'The key that took its place when it was rotated.' }),
  last_used_at: timestamp.nullable().meta({ description: 'Within about a minute.' }),
};

/** A key as lists show it: never with its secret. */
export const apiKey = z.object(keyFields).meta({ id: 'ApiKey', description: 'An API key, without its secret.', examples: [exampleKey] });

const secret = z.string().meta({
  description: 'The key itself. Shown this once and kept nowhere: store it now.',
  examples: ['hf_b9zt9jfe2cw5v0n7skrhcev0gpnczx0scyvyg1'],
});

export const issuedKey = z.object({ ...keyFields, key: secret }).meta({
  id: 'IssuedKey',
  description: 'A new key with its secret.',
  examples: [{ ...exampleKey, key: 'hf_b9zt9jfe2cw5v0n7skrhcev0gpnczx0scyvyg1' }],
});

export const rotatedKey = z
  .object({
    ...keyFields,
    key: secret,
    replaces: z
      .object({ id: uuid, expires_at: timestamp.meta({ description: 'Until then the old key works too.' }) })
      .meta({ description: 'The key that was rotated.' }),
  })
  .meta({
    id: 'RotatedKey',
    description: 'The new key with its secret, and until when the old one works.',
    examples: [
      {
        ...exampleKey,
        key: 'hf_b9zt9jfe2cw5v0n7skrhcev0gpnczx0scyvyg1',
        replaces: { id: '019a9c44-5d10-7b3e-8f66-2a1b3c4d5e6f', expires_at: '2026-11-21T09:33:28.114Z' },
      },
    ],
  });

const futureTime = z.iso
  .datetime({ offset: true })
  .meta({ description: 'RFC 3339; must be in the future.', examples: ['2027-06-30T00:00:00Z'] });

export const maxGraceSeconds = 30 * 86_400;

/** PostgreSQL keeps no NUL in text, and no other control character helps anybody to find a key. */
const printable = /^\P{Cc}*$/u;

const name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(printable, 'must not contain control characters')
  .meta({ description: 'For people.', examples: [exampleKey.name] });

/** An unknown field is a fault: a misspelt `expires_at` would make a key that never expires. */
export const createKeyRequest = z
  .strictObject({
    name,
    scopes: z
      .array(keyScope)
      .min(1)
      .max(keyScope.options.length)
      .default(['inference'])
      .meta({ description: 'No more than your own key has.' }),
    allowed_models: z
      .array(z.string().min(1).max(256).regex(printable, 'must not contain control characters'))
      .min(1)
      .max(1000)
      .nullish()
      .meta({ description: 'Models that the key may ask for. Left out: those of your own key.', examples: [['fast']] }),
    expires_at: futureTime.nullish().meta({ description: 'When the key stops working; must be in the future. Left out: never.' }),
    ...limitRequest,
  })
  .meta({ id: 'CreateKeyRequest', examples: [{ name: exampleKey.name, scopes: ['inference'], allowed_models: ['fast'] }] });

export const changeKeyRequest = z
  .strictObject({ name: name.optional(), ...limitRequest })
  .meta({ id: 'ChangeKeyRequest', examples: [{ tokens_per_minute: 200_000, concurrent: null }] });

export const rotateKeyRequest = z
  .strictObject({
    grace_seconds: z
      .int()
      .min(0)
      .max(maxGraceSeconds)
      .default(86_400)
      .meta({ description: 'How long the old key works on; 0 ends it at once.' }),
    expires_at: futureTime.nullish().meta({ description: 'Of the new key. Left out: that of the old one.' }),
  })
  .meta({ id: 'RotateKeyRequest', examples: [{ grace_seconds: 3600 }] });

export const keyParams = z.object({ id: uuid });
export const listKeysQuery = z.strictObject({ ...pageQuery.shape });
export const keyPage = pageOf(apiKey).meta({ id: 'KeyPage', description: 'A page of keys, newest first.' });

export type ApiKeyBody = z.infer<typeof apiKey>;
export type IssuedKeyBody = z.infer<typeof issuedKey>;
export type RotatedKeyBody = z.infer<typeof rotatedKey>;
export type CreateKeyRequest = z.infer<typeof createKeyRequest>;
export type ChangeKeyRequest = z.infer<typeof changeKeyRequest>;
export type RotateKeyRequest = z.infer<typeof rotateKeyRequest>;
