import type { Field } from '../fields.ts';
import { day, dollarsPerMillion, integer } from '../value-types.ts';

/** What a million tokens of one sort cost. */
export const rateFields = {
  input: { type: dollarsPerMillion, defaultText: 'required', description: 'Dollars per million tokens of the prompt.' },
  output: { type: dollarsPerMillion, defaultText: 'required', description: 'Dollars per million tokens of the answer.' },
  cacheRead: { type: dollarsPerMillion, defaultText: 'as `input`', description: "Of the prompt, read from the provider's cache." },
  cacheWrite: { type: dollarsPerMillion, defaultText: 'as `input`', description: "Of the prompt, written to the provider's cache." },
  reasoning: { type: dollarsPerMillion, defaultText: 'as `output`', description: 'Of the answer, spent on reasoning.' },
} as const satisfies Readonly<Record<string, Field<number>>>;

export const sinceField: Field<string> = {
  type: day,
  defaultText: 'always',
  description: 'First day, in UTC, on which the price holds. Required when there are several.',
};

export const aboveField: Field<number> = {
  type: integer(1, 1_000_000_000),
  defaultText: 'required',
  description: 'The tier holds for the whole call when its prompt has more tokens than this.',
};
