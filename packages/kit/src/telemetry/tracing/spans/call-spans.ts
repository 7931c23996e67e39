import type { CallTraced, Operation, TracedAttempt, TracedLayer } from '../../../llm/spec/index.ts';
import { double, type AttributeValue, type Span } from '../span.ts';
import type { TracedRequest } from '../traced-request.ts';
import { inputMessages, outputMessages, systemInstructions } from './messages/index.ts';
import type { TimeScale } from './time-scale.ts';

/** By the GenAI conventions of May 2026 (development): the data file beside the tests has the attributes. */
const operations: Readonly<Record<Operation, string>> = { chat: 'chat', embeddings: 'embeddings', count_tokens: 'count_tokens' };

/** `gen_ai.provider.name` of kinds whose name there is another. */
const providerNames: Readonly<Record<string, string>> = { azure: 'azure.ai.openai', gemini: 'gcp.gemini', mistral: 'mistral_ai' };

/** The layers of a call that took time, and each request to a provider. */
export function callSpans(call: CallTraced, request: TracedRequest, scale: TimeScale): Span[] {
  const parameters = requestAttributes(call);
  return [
    ...call.layers.map((layer) => layerSpan(layer, request, scale)),
    ...call.attempts.map((attempt) => attemptSpan(attempt, call, parameters, request, scale)),
  ];
}

function layerSpan({ name, beganAt, endedAt, errorCode }: TracedLayer, request: TracedRequest, scale: TimeScale): Span {
  return request.span({
    name: `holdfast.${name}`,
    kind: 'internal',
    startMs: scale.unixMs(beganAt),
    endMs: scale.unixMs(endedAt),
    attributes: errorCode === undefined ? {} : { 'error.type': errorCode },
    failed: errorCode !== undefined,
  });
}

function attemptSpan(
  attempt: TracedAttempt,
  call: CallTraced,
  parameters: Readonly<Record<string, AttributeValue>>,
  request: TracedRequest,
  scale: TimeScale,
): Span {
  const operation = operations[call.operation];
  const model = attempt.model.slice(0, 256);
  const attributes: Record<string, AttributeValue> = {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': providerNames[attempt.providerKind] ?? attempt.providerKind,
    'gen_ai.request.model': model,
    ...parameters,
    'holdfast.provider': attempt.provider,
    'holdfast.attempt': attempt.number,
    'holdfast.outcome': attempt.outcome,
  };
  if (attempt.address !== undefined && attempt.port !== undefined) {
    attributes['server.address'] = attempt.address;
    attributes['server.port'] = attempt.port;
  }
  if (call.streamed && attempt.firstChunkAt !== undefined)
    attributes['gen_ai.response.time_to_first_chunk'] = scale.double((attempt.firstChunkAt - attempt.beganAt) / 1000);
  answerAttributes(attempt, call.operation, attributes);
  if (attempt.errorCode !== undefined) attributes['error.type'] = attempt.errorCode;
  if (request.wantsContent && call.operation === 'chat') contentAttributes(attempt, call, attributes);
  return request.span({
    name: `${operation} ${model}`,
    kind: 'client',
    startMs: scale.unixMs(attempt.beganAt),
    endMs: scale.unixMs(attempt.endedAt),
    attributes,
    failed: attempt.outcome === 'failed',
    ...(attempt.spanId !== undefined && { spanId: attempt.spanId }),
  });
}

function answerAttributes(attempt: TracedAttempt, operation: Operation, to: Record<string, AttributeValue>): void {
  const { servedModel, responseId, finishReason, usage } = attempt;
  if (servedModel !== undefined) to['gen_ai.response.model'] = servedModel.slice(0, 256);
  if (usage) to['gen_ai.usage.input_tokens'] = usage.promptTokens;
  if (operation === 'embeddings') return;
  if (responseId !== undefined) to['gen_ai.response.id'] = responseId.slice(0, 256);
  if (finishReason !== undefined) to['gen_ai.response.finish_reasons'] = [finishReason.slice(0, 64)];
  if (!usage) return;
  to['gen_ai.usage.output_tokens'] = usage.completionTokens;
  if (usage.cachedTokens > 0) to['gen_ai.usage.cache_read.input_tokens'] = usage.cachedTokens;
  if (usage.cacheWriteTokens > 0) to['gen_ai.usage.cache_creation.input_tokens'] = usage.cacheWriteTokens;
  if (usage.reasoningTokens > 0) to['gen_ai.usage.reasoning.output_tokens'] = usage.reasoningTokens;
}

function contentAttributes(attempt: TracedAttempt, call: CallTraced, to: Record<string, AttributeValue>): void {
  const input = inputMessages(call.body, call.dialect);
  if (input !== undefined) to['gen_ai.input.messages'] = input;
  const system = systemInstructions(call.body, call.dialect);
  if (system !== undefined) to['gen_ai.system_instructions'] = system;
  const output = attempt.answer && outputMessages(attempt.answer, call.dialect, call.streamed);
  if (output !== undefined) to['gen_ai.output.messages'] = output;
}

/**
 * What the client asked for, as far as it is what the conventions say: a body is anybody's to write. Numbers alone: its texts, stop sequences
 * too, are what was said.
 */
function requestAttributes({ body, operation, streamed }: CallTraced): Readonly<Record<string, AttributeValue>> {
  const attributes: Record<string, AttributeValue> = {};
  if (operation === 'embeddings') {
    const format = body['encoding_format'];
    if (format === 'float' || format === 'base64') attributes['gen_ai.request.encoding_formats'] = [format];
    return attributes;
  }
  if (streamed) attributes['gen_ai.request.stream'] = true;
  for (const [field, name, kind] of parameters) {
    const value = body[field];
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    if (kind === 'double') attributes[name] = double(value);
    else if (Number.isSafeInteger(value)) attributes[name] ??= value;
  }
  if (attributes['gen_ai.request.choice.count'] === 1) delete attributes['gen_ai.request.choice.count'];
  return attributes;
}

const parameters = [
  ['max_completion_tokens', 'gen_ai.request.max_tokens', 'int'],
  ['max_tokens', 'gen_ai.request.max_tokens', 'int'],
  ['n', 'gen_ai.request.choice.count', 'int'],
  ['seed', 'gen_ai.request.seed', 'int'],
  ['top_k', 'gen_ai.request.top_k', 'int'],
  ['temperature', 'gen_ai.request.temperature', 'double'],
  ['top_p', 'gen_ai.request.top_p', 'double'],
  ['frequency_penalty', 'gen_ai.request.frequency_penalty', 'double'],
  ['presence_penalty', 'gen_ai.request.presence_penalty', 'double'],
] as const;
