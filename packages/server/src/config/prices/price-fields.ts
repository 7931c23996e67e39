import type { Field } from '../fields.ts';
import { day, dollarsPerMillion, integer, share } from '../value-types.ts';

/** What a million tokens of one sort cost. */
export const rateFields = {
  input: { type: dollarsPerMillion, defaultText: 'required', description: 'Dollars per million tokens of the prompt.' },
  output: { type: dollarsPerMillion, defaultText: 'required', description: 'Dollars per million tokens of the answer.' },
  cacheRead: { type: dollarsPerMillion, defaultText: 'as `input`', description: "Of the prompt, read from the provider's cache." },
  cacheWrite: { type: dollarsPerMillion, defaultText: 'as `input`', description: "Of the prompt, written to the provider's cache." },
  cacheWrite1h: {
    type: dollarsPerMillion,
    defaultText: 'as `cacheWrite`',
    description: 'Of the prompt, written to the cache for an hour.',
  },
  reasoning: { type: dollarsPerMillion, defaultText: 'as `output`', description: 'Of the answer, spent on reasoning.' },
  inputAudio: { type: dollarsPerMillion, defaultText: 'as `input`', description: 'Of the prompt, sound.' },
  outputAudio: { type: dollarsPerMillion, defaultText: 'as `output`', description: 'Of the answer, sound.' },
  inputImage: { type: dollarsPerMillion, defaultText: 'as `input`', description: 'Of the prompt, pictures.' },
  outputImage: { type: dollarsPerMillion, defaultText: 'as `output`', description: 'Of the answer, pictures.' },
} as const satisfies Readonly<Record<string, Field<number>>>;

export const sinceField: Field<string> = {
  type: day,
  defaultText: 'always',
  description: 'First day, in UTC, on which the price holds. Required when there are several.',
};

/** What stands beside the rates of a price, but not in its tiers. */
export const priceFields = {
  batch: {
    type: share,
    defaultText: 'not known',
    description:
      'What a batch pays, as a share of these prices: 0.5 is half. For `costs estimate` and `costs reconcile`; Holdfast sends no batches.',
  },
  contextTokens: {
    type: integer(1, 1_000_000_000),
    defaultText: 'of the package',
    description: 'The most tokens that the model takes, prompt and answer together. What a budget reserves goes by it.',
  },
  outputTokens: {
    type: integer(1, 1_000_000_000),
    defaultText: 'of the package',
    description: 'The longest answer of the model, in tokens. Reserved for calls that name no maximum.',
  },
} as const satisfies Readonly<Record<string, Field<number>>>;

export const aboveField: Field<number> = {
  type: integer(1, 1_000_000_000),
  defaultText: 'required',
  description: 'The tier holds for the whole call when its prompt has more tokens than this.',
};
