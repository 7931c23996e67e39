import type { Translation } from '../mapping/index.ts';
import { toMessage } from './answer.ts';
import { toOpenaiRequest } from './request.ts';
import { MessageTranslation } from './stream.ts';

/** A client that speaks Anthropic's dialect at a provider that speaks OpenAI's. */
export const anthropicOnOpenai: Translation = {
  request: toOpenaiRequest,
  answer: toMessage,
  stream: (facts) => new MessageTranslation(facts),
};
