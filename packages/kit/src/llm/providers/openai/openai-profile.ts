import type { ErrorCode } from '../../../errors/index.ts';
import { editBody, type AttemptRequest, type Operation } from '../../spec/index.ts';
import { OpenaiInspector, readOpenaiUsage } from '../../wire/index.ts';
import { codeOfStatus, saysUnsuited, type PlainAnswer, type UpstreamError, type WireProfile } from '../http/index.ts';

export interface OpenaiProfileOptions {
  /** Azure takes `api-key`, everybody else a bearer token. */
  readonly keyHeader: 'authorization' | 'api-key';
  /** Whether `stream_options` may be added to ask for usage; servers that refuse unknown fields send usage unasked. */
  readonly asksForUsage: boolean;
  readonly operations: readonly Operation[];
}

const paths: Partial<Record<Operation, string>> = { chat: '/chat/completions', embeddings: '/embeddings' };

/** The wire of OpenAI and of the many servers that speak it. */
export function openaiProfile(options: OpenaiProfileOptions): WireProfile {
  return {
    dialect: 'openai',
    path: (operation) => (options.operations.includes(operation) ? paths[operation] : undefined),
    authorization: (key) => (options.keyHeader === 'api-key' ? { 'api-key': key } : { authorization: `Bearer ${key}` }),
    headers: {},
    forwardedHeaders: ['openai-beta'],
    returnedHeaders: ['openai-processing-ms', 'openai-version'],
    requestIdHeader: 'x-request-id',
    body: (request) => requestBody(request, options.asksForUsage),
    inspector: (request) => new OpenaiInspector(choiceCount(request)),
    endMark: Buffer.from('data: [DONE]\n\n'),
    endMarkSuffices: true,
    read,
    error: readError,
    classify,
  };
}

function requestBody(request: AttemptRequest, asksForUsage: boolean): { bytes: Buffer; dropUsageEvents: boolean } {
  const edits: Record<string, string> = {};
  if (request.body.value['model'] !== request.model) edits['model'] = JSON.stringify(request.model);
  let dropUsageEvents = false;
  if (request.stream && request.operation === 'chat') {
    const asked = request.body.value['stream_options'] as Record<string, unknown> | null | undefined;
    dropUsageEvents = asked?.['include_usage'] !== true;
    if (dropUsageEvents && asksForUsage) edits['stream_options'] = JSON.stringify({ ...asked, include_usage: true });
  }
  const untouched = edits['model'] === undefined && edits['stream_options'] === undefined;
  return { bytes: untouched ? request.body.bytes : editBody(request.body, edits), dropUsageEvents };
}

function choiceCount(request: AttemptRequest): number {
  const count = request.body.value['n'];
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 1 ? count : 1;
}

function read(operation: Operation, answer: Record<string, unknown>): PlainAnswer {
  const servedModel = typeof answer['model'] === 'string' ? answer['model'] : undefined;
  const responseId = typeof answer['id'] === 'string' ? answer['id'] : undefined;
  const usage = readOpenaiUsage(answer['usage']);
  if (operation !== 'chat') return { usage, finishReason: undefined, servedModel, responseId, outputBytes: 0 };
  const choices = Array.isArray(answer['choices']) ? (answer['choices'] as readonly Choice[]) : [];
  let finishReason: string | undefined;
  let outputBytes = 0;
  for (const choice of choices) {
    if (typeof choice.finish_reason === 'string') finishReason = choice.finish_reason;
    outputBytes += lengthOf(choice.message?.content);
    for (const call of choice.message?.tool_calls ?? []) outputBytes += lengthOf(call.function?.arguments);
  }
  return { usage, finishReason, servedModel, responseId, outputBytes };
}

/** What is read of a choice. Where it has another form, the answer is malformed or counts for nothing: it is not believed. */
interface Choice {
  readonly finish_reason?: unknown;
  readonly message?: {
    readonly content?: unknown;
    readonly tool_calls?: readonly { readonly function?: { readonly arguments?: unknown } }[];
  };
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}

function readError(answer: unknown): UpstreamError {
  const outer = (Array.isArray(answer) ? answer[0] : answer) as Record<string, unknown> | null | undefined;
  const error = (outer?.['error'] ?? outer) as Record<string, unknown> | string | null | undefined;
  if (typeof error === 'string') return { type: undefined, message: error };
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    type: text(error?.['code']) ?? text(error?.['type']) ?? text(error?.['status']),
    message: text(error?.['message']) ?? text(error?.['detail']),
  };
}

function classify(status: number, error: UpstreamError): ErrorCode {
  switch (error.type) {
    case 'context_length_exceeded':
    case 'string_above_max_length':
      return 'context_length_exceeded';
    case 'content_filter':
    case 'content_policy_violation':
      return 'content_filtered';
    case 'insufficient_quota':
    case 'billing_hard_limit_reached':
    case 'invalid_api_key':
      return 'provider_auth_failed';
    case 'rate_limit_exceeded':
      return 'provider_rate_limited';
    case 'model_not_found':
    case 'unsupported_parameter':
    case 'unsupported_value':
      return 'model_unsuited';
  }
  // Servers that only speak the dialect say it in words.
  if (status === 400 && /maximum context length|context window|too many tokens/i.test(error.message ?? ''))
    return 'context_length_exceeded';
  return saysUnsuited(status, error) ? 'model_unsuited' : codeOfStatus(status);
}
