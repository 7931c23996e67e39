export { toAnthropicError, toAnthropicStreamError } from './anthropic.ts';
export { toEnvelope, type EnvelopeContext } from './envelope.ts';
export { toOpenaiError, toOpenaiStreamError } from './openai.ts';
export { type ErrorContext, type ErrorResponse } from './respond.ts';
export {
  anthropicError,
  anthropicErrorTypes,
  errorEnvelope,
  errorReason,
  openaiError,
  openaiErrorTypes,
  type AnthropicError,
  type AnthropicErrorType,
  type ErrorEnvelope,
  type OpenaiError,
  type OpenaiErrorType,
} from './schemas.ts';
