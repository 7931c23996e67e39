import type { Field } from '../fields.ts';
import { choice, flag, integer } from '../value-types.ts';

const count = integer(1, 1_000_000_000);

/** What a level, a tier or an endpoint may say of itself. */
export const levelFields = {
  requestsPerMinute: { type: count, defaultText: 'not limited', description: 'Requests in any minute.' },
  requestsPerHour: { type: count, defaultText: 'not limited', description: 'Requests in any hour.' },
  burst: {
    type: count,
    defaultText: 'the whole minute at once',
    description:
      'Requests that may come at once after a rest; the rest of `requestsPerMinute`, without which it means nothing, comes at an even pace.',
  },
  shadow: {
    type: flag,
    defaultText: '`false`',
    description: 'Count and log what this would refuse, and refuse nothing: to try a limit before it hurts.',
  },
} as const satisfies Readonly<Record<string, Field<number> | Field<boolean>>>;

/** What a tier may say beside it: the use of models by the organization as a whole. */
export const tierFields = {
  tokensPerMinute: {
    type: count,
    defaultText: 'not limited',
    description:
      'Tiers only: tokens of models a minute, prompts and answers together; reserved by what is expected, settled by what was used.',
  },
  concurrent: { type: integer(1, 1_000_000), defaultText: 'not limited', description: 'Tiers only: calls of models under way at once.' },
} as const satisfies Readonly<Record<string, Field<number>>>;

export const endpointPerField: Field<'everybody' | 'ip' | 'user' | 'key' | 'organization'> = {
  type: choice(['everybody', 'ip', 'user', 'key', 'organization']),
  defaultText: '`organization`',
  description:
    'Endpoints only: whose requests are counted together. A caller without what it names counts by the next to the left, and without a valid key by address.',
};

export const endpointExemptField: Field<boolean> = {
  type: flag,
  defaultText: '`false`',
  description: 'Endpoints only: neither limited nor counted, on any level.',
};

/** What operators set in the environment by names they know; requests a second there, a minute in the file. */
export const levelVariables = {
  globalRps: 'RATE_LIMIT_GLOBAL_RPS',
  perIpRps: 'RATE_LIMIT_PER_IP_RPS',
  burst: 'RATE_LIMIT_BURST',
} as const;
