export { costNanoUsd, costUsd, formatUsd, maxPageSize, pageOf, pageQuery, requestId, requestIdPattern, timestamp, uuid } from './common/index.ts';
export {
  anthropicError,
  anthropicErrorTypes,
  errorEnvelope,
  errorReason,
  openaiError,
  openaiErrorTypes,
  toAnthropicError,
  toAnthropicStreamError,
  toEnvelope,
  toOpenaiError,
  toOpenaiStreamError,
  type AnthropicError,
  type AnthropicErrorType,
  type EnvelopeContext,
  type ErrorContext,
  type ErrorEnvelope,
  type ErrorResponse,
  type OpenaiError,
  type OpenaiErrorType,
} from './errors/index.ts';
export {
  chatCompletion,
  chatCompletionRequest,
  countTokensAnswer,
  countTokensRequest,
  embeddingList,
  embeddingRequest,
  messagesAnswer,
  messagesRequest,
  modelEntry,
  modelList,
} from './gateway/index.ts';
export { dependencyHealth, healthReport, healthStatus, type DependencyHealth, type HealthReport, type HealthStatus } from './health/index.ts';
export { callOutcome, usagePage, usageQuery, usageRow, type CallOutcomeName, type UsagePage, type UsageQuery, type UsageRow } from './usage/index.ts';
