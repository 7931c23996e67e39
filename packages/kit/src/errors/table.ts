import { alertErrors } from './alert-errors.ts';
import { budgetErrors } from './budget-errors.ts';
import { errorCategories, type ErrorCategory } from './categories.ts';
import { deliveryErrors } from './delivery-errors.ts';
import type { ErrorRow } from './error-row.ts';
import { startErrors } from './start-errors.ts';

/**
 * Every error that Holdfast shows, once. Types, HTTP mapping, the reference page and the tests are derived from this table;
 * an error that is not in it cannot be thrown.
 */
export const errorTable = {
  // --- the request itself
  invalid_json: {
    category: 'validation',
    message: 'The request body is not valid JSON. Check for a missing quote, comma or bracket.',
    help: 'The body could not be parsed. Nothing was sent to a provider.',
  },
  invalid_request: {
    category: 'validation',
    message: 'The request is not valid. See `details` for the fields at fault.',
    help: 'The body, query or path does not match the schema of the route; `details` names each field and what was expected.',
  },
  malformed_http: {
    category: 'validation',
    message: 'What arrived is not a valid HTTP request. Check the client, and any proxy before this server.',
    help: 'The request line, a header or the framing of the body could not be read, or the request broke off. The connection is closed.',
  },
  body_too_deep: {
    category: 'validation',
    message: 'The request body is nested too deeply. Flatten it and send it again.',
    help: 'JSON nested beyond the limit (64 levels by default) is refused before it is parsed.',
  },
  dialect_unsupported: {
    category: 'validation',
    message:
      'This request uses a feature that the provider of the model cannot carry. See `details`, or choose a model whose provider speaks this API.',
    help: 'A call in one dialect (OpenAI or Anthropic) reached a provider of the other and uses something that has no counterpart there. Nothing was sent. The guide on dialects lists what is carried.',
  },
  operation_unsupported: {
    category: 'validation',
    message: 'The provider of this model does not offer this operation. Choose another model.',
    help: 'For example embeddings asked of a provider that has none.',
  },
  provider_rejected_request: {
    category: 'validation',
    message: 'The provider refused the request as invalid. See `details` for its reason.',
    help: 'The provider answered 400, 409, 413 or 422. Its own short reason is passed on with secrets masked, since it speaks about the request that the client made.',
  },
  model_unsuited: {
    category: 'validation',
    message: 'The model cannot do what the request asks for. See `details` for the reason, or choose another model.',
    help: 'The provider does not have the model, or said that the model does not support something in the request (an assistant prefill, tools, a parameter). Other targets of the same name are asked; this is told when none can.',
  },
  context_length_exceeded: {
    category: 'validation',
    message: 'The prompt is longer than the context window of the model. Shorten it or choose a model with a larger window.',
    help: 'The provider refused the call because prompt and answer do not fit in the model.',
  },
  content_filtered: {
    category: 'validation',
    message: 'The content filter of the provider refused the request. Change the prompt.',
    help: 'A provider refused the prompt for its content. The same prompt is never sent to the same target again.',
  },
  configuration_rejected: {
    category: 'validation',
    status: 422,
    message: 'The new configuration has faults, so the old one stays in force. Mend them and reload again.',
    help: 'A reload takes a configuration whole or not at all. `details.faults` names each fault with its file and line; nothing was changed.',
  },
  // --- who is asking
  key_missing: {
    category: 'authentication',
    message: 'No API key was sent. Send it as `Authorization: Bearer <key>` or `x-api-key: <key>`.',
    help: 'The route needs a key and the request carried none.',
  },
  key_malformed: {
    category: 'authentication',
    message: 'The API key is not a Holdfast key. Check that it was copied whole.',
    help: 'Prefix, length or checksum of the key do not fit; it was refused without a look into the database.',
  },
  key_unknown: {
    category: 'authentication',
    message: 'The API key is not known. Check that it belongs to this server.',
    help: 'The key is well formed but no such key exists here.',
  },
  key_expired: {
    category: 'authentication',
    message: 'The API key has expired. Ask for a new one.',
    help: 'The expiry of the key, or the grace period of a rotated key, has passed.',
  },
  key_revoked: {
    category: 'authentication',
    message: 'The API key was revoked. Ask for a new one.',
    help: 'Somebody with the scope `keys:write` revoked the key.',
  },
  scope_missing: {
    category: 'authorization',
    message: 'The API key may not do this. Ask for a key with the scope named in `details`.',
    help: 'Each route names the scope that it needs; the key has others.',
  },
  model_not_allowed: {
    category: 'authorization',
    message: 'The API key may not use this model. Ask for a key that allows it.',
    help: 'The key was made with a list of allowed models and the one asked for is not among them.',
  },
  address_banned: {
    category: 'authorization',
    message: 'Requests from this address are refused at the moment.',
    help: 'The address, or a range that holds it, is banned: by an operator, or for a while by a detector of abuse. `holdfast bans list` shows who and why, `holdfast bans lift` ends it. Nothing more is told to the client on purpose, but for `Retry-After` when the ban ends by itself.',
  },
  metrics_token_wrong: {
    category: 'authentication',
    message: 'The metrics need a token. Send it as `Authorization: Bearer <token>`.',
    help: '`METRICS_TOKEN` is set, and the request to `/metrics` carried none or another. In Prometheus: `authorization` with `credentials_file` in the scrape configuration.',
  },
  // --- what is asked for
  route_not_found: {
    category: 'not_found',
    message: 'There is no such route. See /docs for those that exist.',
    help: 'Method and path match no route.',
  },
  method_not_allowed: {
    category: 'validation',
    status: 405,
    message: 'This path does not answer that method. See /docs for those that exist.',
    help: 'The path exists with another method; the `allow` header names it.',
  },
  resource_not_found: {
    category: 'not_found',
    message: 'There is no such resource.',
    help: 'It does not exist, or it belongs to another organization: both look the same on purpose.',
  },
  model_not_found: {
    category: 'not_found',
    message: 'There is no such model here. GET /v1/models lists those that exist; `provider/model` passes straight to a provider.',
    help: 'The name is neither a model of the configuration nor starts with the name of a provider.',
  },
  conflict: {
    category: 'conflict',
    message: 'The resource is in a state that does not allow this. See `details`.',
    help: 'For example rotating a key that was revoked.',
  },
  ...budgetErrors,
  // --- size and form
  body_too_large: {
    category: 'payload_too_large',
    message: 'The request body is too large. Send less, or ask the operator to raise the limit.',
    help: 'The body is larger than `HOLDFAST_MAX_BODY_BYTES`, or that of a model call has more than 200,000 objects, arrays and members; `details` then says so.',
  },
  headers_too_large: {
    category: 'payload_too_large',
    status: 431,
    message: 'The request headers are too large.',
    help: 'More than 16 KiB of headers. The connection is closed.',
  },
  content_type_unsupported: {
    category: 'unsupported_media',
    message: 'The content type is not supported here. Send `content-type: application/json`.',
    help: 'The route takes JSON only.',
  },
  request_timeout: {
    category: 'timeout',
    status: 408,
    message: 'The request took too long to arrive. Send it again.',
    help: 'Headers or body did not arrive within the limit; the connection is closed. A defence against slow clients.',
  },
  // --- the provider
  provider_rate_limited: {
    category: 'rate_limit',
    message: 'The provider is limiting its calls. Wait for the time in `Retry-After` and try again.',
    help: 'The provider answered 429. Its `Retry-After` is passed on.',
  },
  provider_auth_failed: {
    category: 'ai_service',
    retryable: false,
    message: 'The provider refused the credentials of this server. Tell the operator.',
    help: 'The provider answered 401 or 403: its key in the configuration is wrong, expired or without credit. Not the fault of the client.',
  },
  provider_unreachable: {
    category: 'ai_service',
    message: 'The provider cannot be reached. Try again later or choose another model.',
    help: 'No connection could be made: name not found, connection refused, TLS failure. The log has the cause.',
  },
  provider_connect_timeout: {
    category: 'timeout',
    message: 'The provider did not accept a connection in time. Try again later or choose another model.',
    help: 'No connection within `limits.connectMs` of the model.',
  },
  provider_failed: {
    category: 'ai_service',
    message: 'The provider failed. Try again later or choose another model.',
    help: 'The provider answered with a server error, or with an error inside a successful answer.',
  },
  provider_overloaded: {
    category: 'ai_service',
    status: 503,
    message: 'The provider is overloaded. Try again later or choose another model.',
    help: 'The provider answered 503 or 529. Its `Retry-After` is passed on.',
  },
  provider_malformed: {
    category: 'ai_service',
    message: 'The provider sent an answer that cannot be understood. Try again later or choose another model.',
    help: 'Not JSON, not an event stream, an event that does not parse, or a line beyond the limit. What did arrive is not shown as an answer.',
  },
  provider_too_large: {
    category: 'ai_service',
    retryable: false,
    message: 'The answer of the provider is larger than this server accepts. Ask for less.',
    help: 'The whole answer or one event of a stream passed the byte limit of the transport.',
  },
  first_token_timeout: {
    category: 'timeout',
    message: 'The provider did not begin its answer in time. Try again later or choose another model.',
    help: 'No first event of a stream within `limits.firstTokenMs` of the model (comments and pings do not count), or no plain answer within `limits.answerMs`.',
  },
  stream_stalled: {
    category: 'timeout',
    message: 'The provider stopped in the middle of its answer. What arrived is incomplete; ask again.',
    help: 'Nothing at all, not even a ping, within `limits.stallMs` of the model.',
  },
  stream_cut: {
    category: 'ai_service',
    message: 'The answer of the provider broke off. What arrived is incomplete; ask again.',
    help: 'The connection ended before the provider said that the answer was finished.',
  },
  call_timeout: {
    category: 'timeout',
    message: 'The call took longer than the limit of this model. Ask for less, or ask the operator to raise the limit.',
    help: 'The whole call passed `limits.totalMs` of the model.',
  },
  operation_timeout: {
    category: 'timeout',
    message: 'An operation took longer than its limit. Try again later.',
    help: 'One attempt exceeded the `timeoutMs` of its resilience policy and was cancelled. The log names the policy.',
  },
  deadline_exceeded: {
    category: 'timeout',
    message: 'The deadline of the call passed before there was an answer. Try again later, or allow more time.',
    help: 'All attempts and waits of the call together exceeded its deadline and were cancelled. The log names the policy.',
  },
  client_closed: {
    category: 'timeout',
    status: 499,
    retryable: false,
    message: 'The client closed the connection before the answer was complete.',
    help: 'Never sent, since nobody is there to read it; it is the outcome in the ledger, the log and the metrics.',
  },
  hedge_lost: {
    category: 'timeout',
    status: 499,
    retryable: false,
    message: 'Another request for the same call was answered first.',
    help: 'The slower of two requests that were sent for one call (hedging) was cancelled. No client sees this; it is how such an attempt is recorded.',
  },
  // --- resilience: refusals of our own, before anything was sent
  circuit_open: {
    category: 'unavailable',
    message: 'A service behind this one is failing and is left alone for a moment. Try again after the time in `Retry-After`.',
    help: 'Its circuit breaker is open, or lets one probe through at a time. The log names the breaker; it closes by itself when a probe succeeds.',
  },
  concurrency_limited: {
    category: 'unavailable',
    message: 'Too many calls are under way. Try again in a moment.',
    help: 'A bulkhead or an adaptive concurrency limit is full, and so is its queue, or the wait in it took too long. The log names the limit.',
  },
  model_unavailable: {
    category: 'unavailable',
    message: 'All providers of this model are failing and are left alone for a moment. Try again after the time in `Retry-After`.',
    help: 'The circuit breakers of all targets of the model are open, so nothing was sent. Each closes by itself when a probe succeeds; without `Retry-After` an operator opened them by hand.',
  },
  // --- limits
  rate_limited: {
    category: 'rate_limit',
    message: 'Too many requests. Wait for the time in `Retry-After` and try again; `details` names the limit.',
    help: 'A limit of the address, the key, the organization, the endpoint or the whole server has no room. Without `Retry-After` the request alone asks for more than the limit holds.',
  },
  limiter_unavailable: {
    category: 'unavailable',
    message: 'The limits cannot be checked at the moment. Try again in a moment.',
    help: 'The store of the limits (Redis) failed or did not answer, and no local limits stand in for it. The log has the cause.',
  },
  // --- this server
  draining: {
    category: 'unavailable',
    message: 'This server is stopping. Send the request again; another instance will take it.',
    help: 'The server received SIGTERM and lets the calls that it has come to their end.',
  },
  server_overloaded: {
    category: 'unavailable',
    logLevel: 'info',
    message: 'This server has too much to do at the moment. Send the request again after the time in `Retry-After`.',
    help: 'A part of the requests is refused before anything is done for them, because the event loop is late, memory is short, or too much is waiting. The log says when it began, why, and when it ended; `holdfast_shed_total` counts them by reason. Limits: the settings of `overload`.',
  },
  database_unavailable: {
    category: 'database',
    message: 'The server cannot reach its database. Try again in a moment.',
    help: 'A query failed for want of a connection, or took longer than its limit.',
  },
  server_unreachable: {
    category: 'unavailable',
    message: 'No server answers there. Start it, or set HOLDFAST_BASE_URL to where it listens.',
    help: 'Of commands that ask a running server, such as `holdfast breakers`. They take its address from HOLDFAST_BASE_URL, else from the configuration.',
  },
  redis_unavailable: {
    category: 'unavailable',
    message: 'The server cannot reach the store that its instances share. Try again in a moment.',
    help: 'Redis (`REDIS_URL`) did not answer. Calls go on without it: breakers and limits go by what each instance sees. The log has the cause.',
  },
  ledger_unavailable: {
    category: 'database',
    message: 'The server cannot record calls at the moment, and it serves none that it cannot record. Try again in a moment.',
    help: 'The row of a call could not be committed. The answer is withheld rather than given unrecorded.',
  },
  audit_log_damaged: {
    category: 'internal',
    message:
      'The audit log is not the one that was signed last, and is not continued. Compare it with its backup and its published checkpoints.',
    help: 'Rows or hashes of the log were changed or are missing, or a part of an older copy was put back. Events are kept in the inbox and get no places meanwhile, and nothing is signed. Told by the health check and in the log, never to clients; `detail` says what does not fit.',
  },
  ...alertErrors,
  internal_error: {
    category: 'internal',
    message: 'Something went wrong on this server. Quote the request id when you ask for help.',
    help: 'A fault of Holdfast. The log has the detail under the request id.',
  },
  ...deliveryErrors,
  ...startErrors,
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorTraits {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly status: number;
  readonly retryable: boolean;
  readonly logLevel: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly help: string;
}

/** The row of a code with the defaults of its category filled in. */
export const errorTraits: (code: ErrorCode) => ErrorTraits = (() => {
  const traits = new Map<string, ErrorTraits>();
  for (const [code, row] of Object.entries<ErrorRow>(errorTable)) {
    const category = errorCategories[row.category];
    traits.set(
      code,
      Object.freeze({
        code: code as ErrorCode,
        category: row.category,
        status: row.status ?? category.status,
        retryable: row.retryable ?? category.retryable,
        logLevel: row.logLevel ?? category.logLevel,
        message: row.message,
        help: row.help,
      }),
    );
  }
  return (code) => traits.get(code)!;
})();
