import { inspect } from 'node:util';
import { HoldfastError } from '../errors/index.ts';
import { sensitiveTypes, type Finding, type SensitiveType } from './finding.ts';

export interface MaskingOptions {
  /** What is looked for. All types by default. */
  readonly types?: readonly SensitiveType[];
  /** From 0 to 1: findings below are left. 0.5 by default, which leaves none; 0.9 leaves what no check digit and no issuer's prefix proves. */
  readonly minConfidence?: number;
  /**
   * What stands in place of a finding; the placeholder of its type by default. It should hold nothing that would be found itself. A function
   * that throws, or returns no string, gets the placeholder.
   */
  readonly replace?: ((finding: Finding, value: string) => string) | undefined;
}

export const maskingDefaults: Readonly<Required<MaskingOptions>> = Object.freeze({
  types: sensitiveTypes,
  minConfidence: 0.5,
  replace: undefined,
});

/** Throws `configuration_invalid`: a type that is misspelt would be a secret that is shown. */
export function readMaskingOptions(given: MaskingOptions): Required<MaskingOptions> {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(maskingDefaults, name))
      throw optionFault('an option of masking', `one of ${Object.keys(maskingDefaults).join(', ')}`, name);
  const { types = maskingDefaults.types, minConfidence = maskingDefaults.minConfidence, replace } = given;
  if (!Array.isArray(types)) throw optionFault('types', 'a list', types);
  for (const type of types) if (!sensitiveTypes.includes(type)) throw optionFault('types', `a list of ${sensitiveTypes.join(', ')}`, type);
  if (typeof minConfidence !== 'number' || !(minConfidence >= 0 && minConfidence <= 1))
    throw optionFault('minConfidence', 'a number from 0 to 1', minConfidence);
  if (replace !== undefined && typeof replace !== 'function') throw optionFault('replace', 'a function', replace);
  return { types, minConfidence, replace };
}

/** `configuration_invalid`, with the option, what it takes and what was received. */
export function optionFault(option: string, expected: string, received: unknown): HoldfastError {
  const fault = `${option} must be ${expected}, not ${inspect(received, { depth: 0, maxStringLength: 80, breakLength: Number.POSITIVE_INFINITY })}`;
  return new HoldfastError('configuration_invalid', { detail: fault, details: [fault] });
}
