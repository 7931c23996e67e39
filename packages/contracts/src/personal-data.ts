import { z } from 'zod';
import { uuid } from './common/index.ts';

/** What audit events only refer to. */
export const personalDataKind = z.enum(['ip', 'user_agent', 'end_user', 'name', 'text']).meta({ id: 'PersonalDataKind' });

export const erasePersonalDataRequest = z
  .strictObject({
    organization_id: uuid.nullable().meta({ description: 'In whose events; null for those of the instance itself.' }),
    kind: personalDataKind,
    value: z
      .string()
      .min(1)
      .max(2_000)
      .meta({
        description: 'The whole value, as it was when the events were made. Of a long one the first 512 characters count.',
        examples: ['user-4711'],
      }),
  })
  .meta({ id: 'ErasePersonalDataRequest' });

export const erasedPersonalData = z
  .object({
    references: z
      .int()
      .nonnegative()
      .meta({ description: 'How many references mean nothing any more.', examples: [12] }),
  })
  .meta({ id: 'ErasedPersonalData' });

export type ErasePersonalDataRequest = z.infer<typeof erasePersonalDataRequest>;
export type ErasedPersonalDataBody = z.infer<typeof erasedPersonalData>;
