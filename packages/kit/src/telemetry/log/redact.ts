import { createMasker, sensitiveTypes } from '../../privacy/index.ts';

/**
 * Addresses stay: whoever writes a line decides whether it has the address, as a ban must, or a pseudonym of it.
 */
const masker = createMasker({ types: sensitiveTypes.filter((type) => type !== 'ipv4' && type !== 'ipv6') });

/**
 * The line of JSON without secrets and personal data, and JSON still. Works on the finished text and not on objects, because secrets also stand
 * inside messages, paths and nested JSON, where no list of paths finds them.
 */
export function redactLine(line: string): string {
  return masker.maskJson(line);
}
