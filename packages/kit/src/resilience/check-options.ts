import { inspect } from 'node:util';
import { HoldfastError } from '../errors/index.ts';

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  readonly whole?: boolean;
  /** Whether Infinity, as "no limit", is fine. */
  readonly unlimited?: boolean;
}

/** `configuration_invalid`, with the option, what it takes and what was received. */
export function optionFault(option: string, expected: string, received: unknown): HoldfastError {
  const fault = `${option} must be ${expected}, not ${inspect(received, { depth: 0, maxStringLength: 80, breakLength: Number.POSITIVE_INFINITY })}`;
  return new HoldfastError('configuration_invalid', { detail: fault, details: [fault] });
}

export function checkNumber(option: string, value: unknown, range: NumberRange = {}): number {
  const { min = 0, max = Number.POSITIVE_INFINITY, whole = false, unlimited = false } = range;
  const fits =
    typeof value === 'number' &&
    value >= min &&
    value <= max &&
    (Number.isFinite(value) || unlimited) &&
    (!whole || Number.isInteger(value) || value === Number.POSITIVE_INFINITY);
  if (!fits) throw optionFault(option, describeRange(min, max, whole, unlimited), value);
  return value;
}

export function checkOneOf<Word extends string>(option: string, value: unknown, words: readonly Word[]): Word {
  if (!words.includes(value as Word)) throw optionFault(option, words.map((word) => `'${word}'`).join(' or '), value);
  return value as Word;
}

export function checkFunction<Function extends (...args: never[]) => unknown>(option: string, value: Function): Function {
  if (typeof value !== 'function') throw optionFault(option, 'a function', value);
  return value;
}

export function checkObject<Value extends object>(option: string, value: Value, expected: string): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw optionFault(option, expected, value);
  return value;
}

/** A misspelt option that is ignored is a limit that is not there. */
export function checkKeys(group: string, options: object, known: readonly string[]): void {
  checkObject(`the options of ${group}`, options, 'an object');
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw optionFault(`an option of ${group}`, `one of ${known.join(', ')}`, key);
  }
}

/** Options with their defaults, where what is given as `undefined` counts as not given. */
export function withDefaults<Defaults extends object>(defaults: Defaults, given: Partial<Defaults>): Defaults {
  const merged = { ...defaults };
  for (const key of Object.keys(defaults) as (keyof Defaults)[]) {
    const value = given[key];
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

function describeRange(min: number, max: number, whole: boolean, unlimited: boolean): string {
  const kind = whole ? 'a whole number' : 'a number';
  const range = max === Number.POSITIVE_INFINITY ? `≥ ${min}` : `from ${min} to ${max}`;
  return `${kind} ${range}${unlimited ? ' or Infinity' : ''}`;
}
