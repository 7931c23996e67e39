import type { ShallowBody } from '@holdfast/kit/llm';
import { embeddedLength, isEmbedded } from './text-of-body.ts';

/** Characters that make a token, on the average of English prose and code in the common tokenizers. */
export const charactersPerToken = 4;

/** What goes in, by the length of all text in the body; at least 1. */
export function estimatePromptTokens(body: ShallowBody): number {
  return Math.max(1, Math.ceil(textLength(body.value) / charactersPerToken));
}

/** The length of all text in a body. Depth is bounded at the door. */
function textLength(value: unknown): number {
  if (typeof value === 'string') return isEmbedded(value) ? embeddedLength : value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let length = 0;
  for (const each of Array.isArray(value) ? value : Object.values(value)) length += textLength(each);
  return length;
}
