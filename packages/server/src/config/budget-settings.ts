import type { SettingSection } from './setting.ts';
import { choice } from './value-types.ts';

/** What hard budgets do where they cannot ask; part of `settings`. */
export const budgetSettings = {
  whenDatabaseAway: {
    type: choice(['refuse', 'allow']),
    environment: 'HOLDFAST_BUDGETS_WHEN_DATABASE_AWAY',
    default: 'refuse',
    description:
      'Calls under a hard budget while the database is away: `refuse` refuses them with `budget_unavailable`; `allow` goes on within what each instance has leased of the budget already. Budgets are not passed either way; what an instance that dies meanwhile has spent may be counted late.',
  },
} as const satisfies SettingSection;
