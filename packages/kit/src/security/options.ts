import { inspect } from 'node:util';
import { HoldfastError } from '../errors/index.ts';

/** `configuration_invalid`, with the option, what it takes and what was received. */
export function optionFault(option: string, expected: string, received: unknown): HoldfastError {
  const fault = `${option} must be ${expected}, not ${inspect(received, { depth: 0, maxStringLength: 80, breakLength: Number.POSITIVE_INFINITY })}`;
  return new HoldfastError('configuration_invalid', { detail: fault, details: [fault] });
}

export interface NumberRange {
  readonly min: number;
  readonly max?: number;
  readonly whole?: boolean;
}

export function checkNumber(option: string, value: unknown, { min, max = Number.MAX_SAFE_INTEGER, whole = false }: NumberRange): number {
  if (typeof value !== 'number' || !(value >= min && value <= max) || (whole && !Number.isInteger(value)))
    throw optionFault(option, `a ${whole ? 'whole ' : ''}number from ${min} to ${max}`, value);
  return value;
}

/** Options with their defaults, where what is given as `undefined` counts as not given. An option that nobody knows is refused: misspelt, it would be a protection that is not there. */
export function withDefaults<Options extends object>(
  group: string,
  defaults: Readonly<Required<Options>>,
  given: Options,
): Required<Options> {
  const merged: Required<Options> = { ...defaults };
  for (const key of Object.keys(given) as (keyof Options & string)[]) {
    if (!Object.hasOwn(defaults, key)) throw optionFault(`an option of ${group}`, `one of ${Object.keys(defaults).join(', ')}`, key);
    const value = given[key];
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}
