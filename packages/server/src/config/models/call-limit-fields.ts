import type { Field } from '../fields.ts';
import { integer } from '../value-types.ts';

const count = integer(1, 1_000_000_000);

/** What may be used of a model, or by the organizations of a tier. */
export const callLimitFields = {
  requestsPerMinute: { type: count, defaultText: 'not limited', description: 'Calls in any minute.' },
  tokensPerMinute: {
    type: count,
    defaultText: 'not limited',
    description:
      'Tokens a minute, prompts and answers together: reserved by what is expected (the prompt, and the maximum that the call names), settled by what was used.',
  },
  concurrent: { type: integer(1, 1_000_000), defaultText: 'not limited', description: 'Calls under way at once.' },
} as const satisfies Readonly<Record<string, Field<number>>>;
