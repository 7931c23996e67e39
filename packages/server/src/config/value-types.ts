import path from 'node:path';
import { parseIpRange } from '@holdfast/kit/security';
import { z } from 'zod';

/** What a setting may be: its schema, how its text in the environment is read, and how a fault and the reference name it. */
export interface ValueType<Value> {
  readonly schema: z.ZodType<Value>;
  /** Completes `expected …` and the column of the reference. */
  readonly expected: string;
  /** Text of the environment to a candidate for the schema. What it cannot read it leaves as it is, for the schema to refuse. */
  fromText(text: string): unknown;
  /** Paths only: makes the value absolute. */
  resolve?(value: Value, folder: string): Value;
}

export function text(expected: string, pattern: RegExp = /^[^\p{Cc}]+$/u): ValueType<string> {
  return { schema: z.string().max(4096).regex(pattern), expected, fromText: (value) => value };
}

export function integer(min: number, max: number): ValueType<number> {
  return {
    schema: z.int().min(min).max(max),
    expected: `an integer from ${min} to ${max}`,
    fromText: (value) => (/^[+-]?\d{1,16}$/.test(value) ? Number(value) : value),
  };
}

/** A number that may have a fraction. */
export function decimal(min: number, max: number): ValueType<number> {
  return {
    schema: z.number().min(min).max(max),
    expected: `a number from ${min} to ${max}`,
    fromText: (value) => (/^[+-]?\d{1,16}(\.\d{1,16})?$/.test(value) ? Number(value) : value),
  };
}

const flags: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  on: true,
  false: false,
  0: false,
  no: false,
  off: false,
};

export const flag: ValueType<boolean> = {
  schema: z.boolean(),
  expected: '`true` or `false`',
  fromText: (value) => flags[value.toLowerCase()] ?? value,
};

/** One of several words; `aliases` are other spellings of them. Case does not matter. */
export function choice<const Word extends string>(words: readonly Word[], aliases: Readonly<Record<string, Word>> = {}): ValueType<Word> {
  const spellings = new Map<string, Word>([...words.map((word) => [word, word] as const), ...Object.entries(aliases)]);
  return {
    schema: z.preprocess((value) => (typeof value === 'string' ? (spellings.get(value.toLowerCase()) ?? value) : value), z.enum(words)),
    expected: `one of ${[...spellings.keys()].map((word) => `\`${word}\``).join(', ')}`,
    fromText: (value) => value,
  };
}

/** A path; relative ones hang on the folder of the configuration file, or on the working directory when they come from elsewhere. */
export function filePath(expected: string): ValueType<string> {
  return {
    ...text(expected),
    resolve: (value, folder) => path.resolve(folder, value),
  };
}

const rangeNames: ReadonlySet<string> = new Set(['loopback', 'private', 'linklocal']);

/** An address, a CIDR range, or a word for ranges that the kit knows. */
export const ipRange: ValueType<string> = {
  schema: z.string().refine((value) => rangeNames.has(value) || parseIpRange(value) !== undefined),
  expected: 'an address, a CIDR range, `loopback`, `private` or `linklocal`',
  fromText: (value) => value,
};

/** A list; comma-separated in the environment. */
export function listOf(item: ValueType<string>, expected: string): ValueType<readonly string[]> {
  return {
    schema: z.array(item.schema).max(1000),
    expected,
    fromText: (value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
  };
}

/** A price. Not finer than a millionth of a dollar per million tokens, which is a pico-dollar a token: the unit that costs are added up in. */
export const dollarsPerMillion: ValueType<number> = {
  schema: z
    .number()
    .min(0)
    .max(1_000_000)
    .refine((dollars) => Math.abs(dollars * 1e6 - Math.round(dollars * 1e6)) <= Math.max(1e-6, dollars * 1e-6)),
  expected: 'dollars per million tokens, from 0 to 1000000, with at most six decimals',
  fromText: (value) => value,
};

export const share: ValueType<number> = {
  schema: z.number().min(0).max(1),
  expected: 'a share from 0 to 1',
  fromText: (value) => value,
};

export const day: ValueType<string> = {
  schema: z.iso.date(),
  expected: 'a day such as 2026-11-20',
  fromText: (value) => value,
};
