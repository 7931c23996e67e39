import type { Translation } from '../mapping/index.ts';
import { toChatCompletion } from './answer.ts';
import { toAnthropicRequest } from './request.ts';
import { ChunkTranslation } from './stream.ts';

/** A client that speaks OpenAI's dialect at a provider that speaks Anthropic's. */
export const openaiOnAnthropic: Translation = {
  request: toAnthropicRequest,
  answer: toChatCompletion,
  stream: (facts) => new ChunkTranslation(facts),
};
