import { isWellFormedKey } from './key-format.ts';

const minLength = 32;
/** Also the bound for every secret: longer ones are not even hashed. */
export const maxSecretLength = 256;

/**
 * HOLDFAST_BOOTSTRAP_KEY may be in the form of our keys, or any other secret of 32 to 256
 * visible ASCII characters without spaces, so that what a deployment tool already generates will do. A secret of the second kind
 * has no checksum: where one exists, other malformed secrets of that length cost a lookup before they are refused.
 */
export function isGivenSecret(secret: string): boolean {
  return secret.length >= minLength && secret.length <= maxSecretLength && /^[\x21-\x7e]+$/.test(secret);
}

/** What is wrong with a value of HOLDFAST_BOOTSTRAP_KEY, without repeating it; undefined when nothing is. */
export function givenSecretFault(secret: string): string | undefined {
  if (isWellFormedKey(secret)) return undefined;
  if (secret.length < minLength) return `has ${secret.length} characters, and ${minLength} are the least`;
  if (!isGivenSecret(secret)) return `must be ${minLength} to ${maxSecretLength} visible ASCII characters without spaces`;
  if (new Set(secret).size < 8) return 'repeats the same few characters';
  return undefined;
}
