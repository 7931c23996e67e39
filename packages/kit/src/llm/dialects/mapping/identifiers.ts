import { createHash } from 'node:crypto';

const portable = /^[A-Za-z0-9_-]{1,40}$/;

/**
 * An id of a tool call that both sides take: Anthropic allows letters, digits, `_` and `-`, OpenAI 40 characters. Others
 * become a hash, the same one in the call and in its result, and in every later turn.
 */
export function portableToolId(id: string): string {
  return portable.test(id) ? id : `call_${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

/** A user's id in the 64 characters that OpenAI takes. */
export function portableUserId(id: string): string {
  return id.length <= 64 ? id : createHash('sha256').update(id).digest('hex');
}
