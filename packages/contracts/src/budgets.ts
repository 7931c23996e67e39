import { z } from 'zod';
import { pageOf, pageQuery, timestamp, uuid } from './common/index.ts';

export const budgetSubject = z.enum(['organization', 'user', 'key']).meta({ id: 'BudgetSubject', description: 'Whose calls count.' });
export const budgetPeriod = z.enum(['day', 'month', 'total']).meta({
  id: 'BudgetPeriod',
  description: 'In each day or month of UTC, or in all. A call belongs to the day and month in which it began.',
});
export const budgetEnforcement = z.enum(['hard', 'soft']).meta({
  id: 'BudgetEnforcement',
  description:
    '`hard`: a call that may pass the limit is refused before anything is sent. `soft`: thresholds are told, and nothing is refused.',
});

const nanoUsd = z
  .int()
  .nonnegative()
  .meta({ description: 'In nano-dollars (10⁻⁹ US dollars).', examples: [25_000_000_000] });
const usd = z
  .string()
  .regex(/^\d+\.\d{9}$/)
  .meta({ description: 'The same in dollars, as a string so that no digit is lost.', examples: ['25.000000000'] });
const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters')
  .meta({ description: 'In your own words; it is told to whom it refuses.', examples: ['Trial'] });
const limitUsd = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,9})?$/)
  .meta({ description: 'The limit in dollars, as a string. This or `limit_nano_usd`.', examples: ['25.00'] });
const limitNanoUsd = nanoUsd.max(1_000_000_000_000_000).meta({ description: 'The limit in nano-dollars. This or `limit_usd`.' });

const example = {
  id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
  organization_id: '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01',
  name: 'Trial',
  subject: 'organization',
  subject_id: '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01',
  period: 'month',
  enforcement: 'hard',
  limit_nano_usd: 25_000_000_000,
  limit_usd: '25.000000000',
  created_at: '2026-11-20T09:33:28.114Z',
  window: {
    starts_at: '2026-11-01T00:00:00.000Z',
    ends_at: '2026-12-01T00:00:00.000Z',
    spent_nano_usd: 12_500_000_000,
    spent_usd: '12.500000000',
    reserved_nano_usd: 40_000_000,
    leased_nano_usd: 500_000_000,
    refusing: false,
  },
} as const;

export const budget = z
  .object({
    id: uuid,
    organization_id: uuid,
    name: z.string(),
    subject: budgetSubject,
    subject_id: uuid.meta({
      description: 'Of the organization, the person, or the key; the keys that replace it in a rotation are under it too.',
    }),
    period: budgetPeriod,
    enforcement: budgetEnforcement,
    limit_nano_usd: nanoUsd,
    limit_usd: usd,
    created_at: timestamp,
    window: z
      .object({
        starts_at: timestamp.nullable().meta({ description: 'Null for a total, which counts from when the budget was made.' }),
        ends_at: timestamp.nullable().meta({ description: 'Null for a total.' }),
        spent_nano_usd: nanoUsd,
        spent_usd: usd,
        reserved_nano_usd: nanoUsd.meta({ description: 'Held back for calls under way: the most that they can cost.' }),
        leased_nano_usd: nanoUsd.meta({ description: 'Held by instances that decide on it, and used by no call yet.' }),
        refusing: z.boolean().meta({ description: 'A call that could cost no more than a tenth of the limit was refused in this window.' }),
      })
      .meta({ description: 'The day or month that runs, to the last second.' }),
  })
  .meta({ id: 'Budget', description: 'What calls may cost.', examples: [example] });

/** An unknown field is a fault: a misspelt one would make another budget than was meant. */
export const createBudgetRequest = z
  .strictObject({
    organization_id: uuid.optional().meta({ description: 'Left out: that of the key.' }),
    name,
    subject: budgetSubject,
    subject_id: uuid.optional().meta({ description: 'Of the person or the key; left out for an organization.' }),
    period: budgetPeriod,
    limit_usd: limitUsd.optional(),
    limit_nano_usd: limitNanoUsd.optional(),
    enforcement: budgetEnforcement.default('hard'),
  })
  .meta({
    id: 'CreateBudgetRequest',
    examples: [{ name: 'Trial', subject: 'organization', period: 'month', limit_usd: '25.00', enforcement: 'hard' }],
  });

export const changeBudgetRequest = z
  .strictObject({
    name: name.optional(),
    limit_usd: limitUsd.optional(),
    limit_nano_usd: limitNanoUsd.optional(),
    enforcement: budgetEnforcement.optional(),
  })
  .meta({ id: 'ChangeBudgetRequest', examples: [{ limit_usd: '50.00' }] });

export const budgetParams = z.object({ id: uuid });
export const listBudgetsQuery = z.strictObject({
  ...pageQuery.shape,
  all_organizations: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .meta({ description: 'Those of the whole instance: for keys with the scope `operator`.', examples: ['false'] }),
});
export const budgetPage = pageOf(budget).meta({ id: 'BudgetPage', description: 'A page of budgets, newest first.' });

export type BudgetBody = z.infer<typeof budget>;
export type ListBudgetsQuery = z.infer<typeof listBudgetsQuery>;
export type CreateBudgetRequest = z.infer<typeof createBudgetRequest>;
export type ChangeBudgetRequest = z.infer<typeof changeBudgetRequest>;
