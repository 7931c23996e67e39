import type { UpstreamBehaviour } from './behaviour.ts';
import type { UpstreamDialect } from './script-request.ts';

interface ErrorWords {
  readonly openai: { readonly type: string; readonly code: string | null; readonly message: string };
  readonly anthropic: { readonly type: string; readonly message: string };
}

const contextLength: ErrorWords = {
  openai: {
    type: 'invalid_request_error',
    code: 'context_length_exceeded',
    message:
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 215000 tokens. Please reduce the length of the messages.",
  },
  anthropic: { type: 'invalid_request_error', message: 'prompt is too long: 215000 tokens > 200000 maximum' },
};

const contentFilter: ErrorWords = {
  openai: {
    type: 'invalid_request_error',
    code: 'content_filter',
    message: 'The response was filtered due to the prompt triggering the content management policy. Please modify your prompt and retry.',
  },
  anthropic: { type: 'invalid_request_error', message: 'Output blocked by content filtering policy' },
};

/** What Anthropic and the like say where a conversation may not end with the assistant's own words. */
const prefill: ErrorWords = words(
  'invalid_request_error',
  null,
  'invalid_request_error',
  'This model does not support assistant message prefill. The conversation must end with a user message.',
);

const quota: ErrorWords = {
  openai: {
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  },
  anthropic: { type: 'invalid_request_error', message: 'Your credit balance is too low to access the Anthropic API.' },
};

const byReason = { context_length: contextLength, content_filter: contentFilter, prefill, quota } as const;

const byStatus: Readonly<Record<number, ErrorWords>> = {
  400: words('invalid_request_error', null, 'invalid_request_error', 'Invalid value in the request.'),
  401: words(
    'invalid_request_error',
    'invalid_api_key',
    'authentication_error',
    'Incorrect API key provided: sk-scri*********************alid.',
  ),
  403: words('permission_error', null, 'permission_error', 'The key has no access to this model.'),
  404: words('invalid_request_error', 'model_not_found', 'not_found_error', 'The model does not exist or you do not have access to it.'),
  413: words('invalid_request_error', null, 'request_too_large', 'Request exceeds the maximum size.'),
  429: words('requests', 'rate_limit_exceeded', 'rate_limit_error', 'Rate limit reached.'),
  500: words('server_error', null, 'api_error', 'The server had an error while processing your request.'),
  503: words('server_error', null, 'api_error', 'The engine is currently overloaded, please try again later.'),
  529: words('server_error', null, 'overloaded_error', 'Overloaded'),
};

function words(type: string, code: string | null, anthropicType: string, message: string): ErrorWords {
  return { openai: { type, code, message }, anthropic: { type: anthropicType, message } };
}

export function errorBody(dialect: UpstreamDialect, behaviour: UpstreamBehaviour, status: number): string {
  const said = behaviour.reason ? byReason[behaviour.reason] : (byStatus[status] ?? byStatus[500]!);
  return dialect === 'openai'
    ? JSON.stringify({ error: { message: said.openai.message, type: said.openai.type, param: null, code: said.openai.code } })
    : JSON.stringify({ type: 'error', error: said.anthropic, request_id: 'req_scripted' });
}

/** An error inside a stream whose status was 200. */
export function errorEvent(dialect: UpstreamDialect, behaviour: UpstreamBehaviour): string {
  const body = errorBody(dialect, behaviour, behaviour.status ?? (dialect === 'openai' ? 500 : 529));
  return dialect === 'openai' ? `data: ${body}\n\n` : `event: error\ndata: ${body}\n\n`;
}

export function errorHeaders(behaviour: UpstreamBehaviour, nowMs: number): Record<string, string> {
  const headers: Record<string, string> = {};
  const { retryAfterSeconds, retryAfterDateInSeconds, retryAfterMs } = behaviour;
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  if (retryAfterDateInSeconds !== undefined) headers['retry-after'] = new Date(nowMs + retryAfterDateInSeconds * 1000).toUTCString();
  if (retryAfterMs !== undefined) headers['retry-after-ms'] = String(retryAfterMs);
  return headers;
}
