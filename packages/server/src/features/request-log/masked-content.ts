import { createMasker } from '@holdfast/kit/privacy';
import { assembleStream } from './assemble-stream.ts';

const masker = createMasker();

/** What is taken beyond what is kept, so that a secret that stands across the cut is found before it is cut. */
export const overlapChars = 4_096;

/** What may be kept of a content: streams put together, without secrets and personal data, cut to `maxChars`. */
export function maskContent(content: string, maxChars: number): string {
  const masked = masker.mask(assembleStream(content) ?? content);
  // PostgreSQL keeps no NUL, and no half of a surrogate pair.
  const kept = masked.length > maxChars ? `${masked.slice(0, maxChars)}…` : masked;
  return kept.replaceAll('\0', '').toWellFormed();
}
