import type { HttpRequestFinished } from '@holdfast/kit/events';
import type { CallFinished } from '@holdfast/kit/llm';

/** A request that went well. */
export const announcedRequest: HttpRequestFinished = {
  requestId: 'r-1',
  method: 'POST',
  route: '/v1/chat/completions',
  path: '/v1/chat/completions',
  status: 200,
  latencyMs: 30,
  requestBytes: 300,
  responseBytes: 900,
  client: 'ip_0123456789abcdef',
  organizationId: undefined,
  keyId: undefined,
  userId: undefined,
  errorCode: undefined,
  errorCategory: undefined,
  notes: undefined,
};

/** A call that went well, at the second try. */
export const announcedCall: CallFinished = {
  callId: 'c-1',
  requestId: 'r-1',
  organizationId: 'o-1',
  keyId: 'k-1',
  operation: 'chat',
  dialect: 'openai',
  streamed: true,
  modelAsked: 'fast',
  modelServed: 'gpt-4o-mini',
  provider: 'primary',
  outcome: 'completed',
  errorCode: undefined,
  errorCategory: undefined,
  status: 200,
  usage: { promptTokens: 100, completionTokens: 20, cachedTokens: 40, cacheWriteTokens: 0, reasoningTokens: 5, source: 'provider' },
  costNanoUsd: 1_500_000_000,
  latencyMs: 900,
  firstTokenMs: 120,
  overheadMs: 0.25,
  attempts: 2,
};
