import type { ShallowBody } from '@holdfast/kit/llm';

/** Characters that make a token, on the average of English prose and code in the common tokenizers. */
export const charactersPerToken = 4;

/** What goes in, by the length of all text in the body; at least 1. */
export function estimatePromptTokens(body: ShallowBody): number {
  return Math.max(1, Math.ceil(textLength(body.value) / charactersPerToken));
}

/** What an embedded picture or file is counted as, in characters: about the tokens of a middling picture. */
const embeddedLength = 4000;

/** The length of all text in a body. Depth is bounded at the door. */
function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length > 2048 && isEmbedded(value) ? embeddedLength : value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let length = 0;
  for (const each of Array.isArray(value) ? value : Object.values(value)) length += textLength(each);
  return length;
}

/** A data URL, or base64 as Anthropic carries it: long and without a blank. */
function isEmbedded(text: string): boolean {
  return text.startsWith('data:') || !/\s/.test(text.slice(0, 512));
}
