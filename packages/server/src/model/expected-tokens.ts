import type { Operation, ShallowBody } from '@holdfast/kit/llm';
import { embeddedLength, isEmbedded } from './text-of-body.ts';

/**
 * Tokens of a character of ASCII: the rule of thumb for English is a quarter, and code and JSON have more. A byte that UTF-8 needs
 * beyond the first of a character adds the second number: Chinese, of three bytes a character, comes to 1 (its rule of thumb), Cyrillic to 0.65.
 */
const tokensPerCharacter = 0.3;
const tokensPerExtraByte = 0.35;

/** The prompt and the most that may come back: what is reserved for a call, before anybody knows. */
export interface ExpectedTokens {
  /** A guess, on the generous side for prose and code. What a tokenizer finds no words in (digits, random letters) may have twice as many. */
  readonly prompt: number;
  /** The most that the client allows, for all answers that it asked for; `assumed` where it allows anything. */
  readonly completion: number;
}

const embeddedTokens = Math.ceil(embeddedLength * tokensPerCharacter);

/** The largest number that a client can mean by a maximum; more is as good as none. */
const largestMaximum = 10_000_000;

/** Undefined for what uses no tokens: counting them. */
export function expectedTokens(
  call: { readonly operation: Operation; readonly body: ShallowBody },
  assumedCompletionTokens: number,
): ExpectedTokens | undefined {
  if (call.operation === 'count_tokens') return undefined;
  const { value } = call.body;
  const prompt = Math.max(1, Math.ceil(likelyTokens(value)));
  if (call.operation === 'embeddings') return { prompt, completion: 0 };
  const maximum = whole(value['max_completion_tokens']) ?? whole(value['max_tokens']) ?? assumedCompletionTokens;
  return { prompt, completion: maximum * Math.min(128, Math.max(1, whole(value['n']) ?? 1)) };
}

/**
 * What to take from a bucket that holds `capacity`: all that is expected, but no more than it holds because of what the client
 * allows the answer to be, since most allow far more than they get: such a call waits for a full bucket. A prompt that alone does not fit is
 * too large for any wait.
 */
export function costIn(capacity: number, { prompt, completion }: ExpectedTokens): number {
  return prompt > capacity ? prompt : Math.min(prompt + completion, capacity);
}

function whole(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestMaximum ? value : undefined;
}

/** Also of names of members and of what is no text: descriptions of tools are made of them. Depth is bounded at the door. */
function likelyTokens(value: unknown): number {
  if (typeof value === 'string') {
    if (isEmbedded(value)) return embeddedTokens;
    return value.length * tokensPerCharacter + (Buffer.byteLength(value) - value.length) * tokensPerExtraByte;
  }
  if (typeof value !== 'object' || value === null) return 1;
  let tokens = 0;
  if (Array.isArray(value)) {
    for (const item of value) tokens += likelyTokens(item);
  } else {
    const members = value as Readonly<Record<string, unknown>>;
    for (const name in members) tokens += 1 + likelyTokens(members[name]);
  }
  return tokens;
}
