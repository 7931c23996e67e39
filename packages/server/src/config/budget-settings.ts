import type { SettingSection } from './setting.ts';
import { choice } from './value-types.ts';

/** What hard budgets do where they cannot ask; part of `settings`. */
export const budgetSettings = {
  whenDatabaseAway: {
    type: choice(['refuse', 'allow']),
    environment: 'HOLDFAST_BUDGETS_WHEN_DATABASE_AWAY',
    default: 'refuse',
    description:
      'Calls under a hard budget while the database is away: `refuse` refuses them with `budget_unavailable`; `allow` goes on within what each instance has leased of the budget already. With `refuse` no budget is passed; with `allow` one can be, by what was leased to an instance that is cut off for more than a minute, since its lease is then given to others.',
  },
} as const satisfies SettingSection;
