import type { ErrorCode } from '../../../errors/index.ts';
import { editBody, type Operation } from '../../spec/index.ts';
import { AnthropicInspector, readAnthropicUsage } from '../../wire/index.ts';
import { codeOfStatus, saysUnsuited, type PlainAnswer, type UpstreamError, type WireProfile } from '../http/index.ts';

const paths: Partial<Record<Operation, string>> = { chat: '/messages', count_tokens: '/messages/count_tokens' };

/** Anthropic's Messages API. */
export const anthropicProfile: WireProfile = Object.freeze({
  dialect: 'anthropic',
  path: (operation) => paths[operation],
  authorization: (key) => ({ 'x-api-key': key }),
  headers: { 'anthropic-version': '2023-06-01' },
  forwardedHeaders: ['anthropic-version', 'anthropic-beta'],
  returnedHeaders: [],
  requestIdHeader: 'request-id',
  body: ({ body, model }) => ({
    bytes: body.value['model'] === model ? body.bytes : editBody(body, { model: JSON.stringify(model) }),
    dropUsageEvents: false,
  }),
  inspector: () => new AnthropicInspector(),
  endMark: Buffer.from('event: message_stop\ndata: {"type":"message_stop"}\n\n'),
  endMarkSuffices: false,
  read,
  error: readError,
  classify,
} satisfies WireProfile);

function read(operation: Operation, answer: Record<string, unknown>): PlainAnswer {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  // Counting tokens costs nothing and uses nothing.
  if (operation === 'count_tokens') {
    const none = {
      promptTokens: 0,
      completionTokens: 0,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      source: 'provider',
    } as const;
    return { usage: none, finishReason: undefined, servedModel: undefined, responseId: undefined, outputBytes: 0 };
  }
  const content = Array.isArray(answer['content']) ? (answer['content'] as readonly Record<string, unknown>[]) : [];
  let outputBytes = 0;
  for (const block of content)
    outputBytes += (text(block['text']) ?? text(block['thinking']) ?? JSON.stringify(block['input'] ?? '')).length;
  return {
    usage: answer['usage'] ? readAnthropicUsage(answer['usage']) : undefined,
    finishReason: text(answer['stop_reason']),
    servedModel: text(answer['model']),
    responseId: text(answer['id']),
    outputBytes,
  };
}

function readError(answer: unknown): UpstreamError {
  const error = (answer as { error?: { type?: unknown; message?: unknown } } | null)?.error;
  return {
    type: typeof error?.type === 'string' ? error.type : undefined,
    message: typeof error?.message === 'string' ? error.message : undefined,
  };
}

function classify(status: number, error: UpstreamError): ErrorCode {
  switch (error.type) {
    case 'invalid_request_error':
      if (/prompt is too long|context window|context limit/i.test(error.message ?? '')) return 'context_length_exceeded';
      if (/credit balance/i.test(error.message ?? '')) return 'provider_auth_failed';
      if (/content filtering policy/i.test(error.message ?? '')) return 'content_filtered';
      return saysUnsuited(status, error) ? 'model_unsuited' : 'provider_rejected_request';
    case 'not_found_error':
      return 'model_unsuited';
    case 'request_too_large':
      return 'provider_rejected_request';
    case 'authentication_error':
    case 'permission_error':
    case 'billing_error':
      return 'provider_auth_failed';
    case 'rate_limit_error':
      return 'provider_rate_limited';
    case 'overloaded_error':
      return 'provider_overloaded';
  }
  return codeOfStatus(status);
}
