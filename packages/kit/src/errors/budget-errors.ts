import type { ErrorRow } from './error-row.ts';

/** What a call may cost. */
export const budgetErrors = {
  budget_exceeded: {
    category: 'budget',
    message:
      'The call may cost more than what is left of a budget, named in `details`. Ask for less, wait for the next period, or ask for a higher limit.',
    help: 'A hard budget of the organization, the person or the key has no room for the most that the call can cost: its prompt, and `max_tokens` or the longest answer of the model, at the price of its dearest target. A smaller `max_tokens` may fit. `holdfast budgets list` shows what is spent and what is held for calls under way.',
  },
  price_unknown: {
    category: 'budget',
    message:
      'The price of this model is not known, and a budget allows no call whose cost nobody can say. Choose another model, or ask the operator.',
    help: 'A hard budget is over the call, and one of the targets of the model has no price. Give it one under `prices` in the configuration; the log names the target.',
  },
  budget_unavailable: {
    category: 'unavailable',
    message: 'Nobody can say at the moment whether a budget has room for this call. Try again in a second.',
    help: 'The database is away, or slow, and a hard budget is over the call. `HOLDFAST_BUDGETS_WHEN_DATABASE_AWAY=allow` goes on within what the instance has leased already; see the guide about budgets.',
  },
} as const satisfies Record<string, ErrorRow>;
