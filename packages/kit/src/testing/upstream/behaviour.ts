/**
 * How the scripted upstream answers one request. Every field is a scalar, so that each can also be said in a model name
 * (`any-name?kind=error&status=429&retryAfterSeconds=2`). Events are counted as the wire counts them: the opening event,
 * the pieces, the finish, the usage, the end mark.
 */
export interface UpstreamBehaviour {
  /**
   * - `answer` (default): a proper answer, with the faults below.
   * - `error`: `status` (default 500) with an error in the dialect's shape.
   * - `reset`: the connection is reset before any header.
   * - `silent`: the request is read and never answered.
   * - `html`: an HTML page, with `status` (default 200), as a proxy in between would give.
   * - `error_in_answer`: status 200 and an error inside: the body, or the first event of a stream.
   * - `plain_on_stream`: a plain JSON answer to a request for a stream.
   * - `huge_line`: one line of `megabytes` (default 100): an event that does not end until then, or a body.
   */
  readonly kind?: 'answer' | 'error' | 'reset' | 'silent' | 'html' | 'error_in_answer' | 'plain_on_stream' | 'huge_line';
  /** HTTP status of `error` and `html`. */
  readonly status?: number;
  /** What the error says it is: `prefill` that the model takes none, `quota` that the account is out of credit. Default: what the provider says with that status. */
  readonly reason?: 'context_length' | 'content_filter' | 'prefill' | 'quota';
  /** `retry-after: 2` with an error. */
  readonly retryAfterSeconds?: number;
  /** `retry-after` as an HTTP date so many seconds from now. */
  readonly retryAfterDateInSeconds?: number;
  /** `retry-after-ms`, as OpenAI sends it beside the seconds. */
  readonly retryAfterMs?: number;
  /** Wait before the headers. */
  readonly headersDelayMs?: number;
  /** Wait between headers and the first event (of a plain answer: more wait before the headers). */
  readonly firstTokenDelayMs?: number;
  /** Pieces of text. Default 3; with `text`, as many as it has words. */
  readonly chunks?: number;
  /** Time from event to event, by a schedule that does not drift. Default 0. */
  readonly spacingMs?: number;
  /** What the answer says. Default: `word0 word1 …`. */
  readonly text?: string;
  /** Choices of an OpenAI answer. Default: the request's `n`. */
  readonly choices?: number;
  /** Answers with a call of the tool of this name. */
  readonly tool?: string;
  /** The arguments of that call as JSON text. Default `{"city":"Paris"}`. */
  readonly toolArguments?: string;
  /** The finish reason, in the dialect's words. */
  readonly finish?: string;
  /** `missing`: none, also when asked; `wrong`: negative, broken and non-numeric counts. Default `right`. */
  readonly usage?: 'right' | 'missing' | 'wrong';
  readonly promptTokens?: number;
  readonly cachedTokens?: number;
  readonly completionTokens?: number;
  readonly reasoningTokens?: number;
  /** False leaves out `[DONE]` or `message_stop`; the HTTP body ends properly. */
  readonly endMark?: boolean;
  /** Ends the answer after so many events; a plain one in the middle of its body. */
  readonly cutAfter?: number;
  /** How: `close` the connection (default), `reset` it, or `end` the HTTP body properly without having finished. */
  readonly cutBy?: 'close' | 'reset' | 'end';
  /** Goes silent after so many events, with the connection open. */
  readonly silentAfter?: number;
  /** Sends an event that is not JSON after so many events, then goes on. A plain answer is not JSON. */
  readonly malformedAfter?: number;
  /** Sends an error event after so many events, and ends. */
  readonly errorAfter?: number;
  /** Comments (OpenAI) or ping events (Anthropic) before the first event. */
  readonly pings?: number;
  /** Such a ping every so often, for as long as the answer waits or is silent. */
  readonly pingEveryMs?: number;
  /** `crlf` ends every line of the stream with CR LF. */
  readonly newline?: 'lf' | 'crlf';
  /** `bytes` writes every byte of the stream as an HTTP chunk of its own. */
  readonly split?: 'events' | 'bytes';
  /** Size of `huge_line` in MiB. */
  readonly megabytes?: number;
}

const kinds = ['answer', 'error', 'reset', 'silent', 'html', 'error_in_answer', 'plain_on_stream', 'huge_line'];

/** What a model name may say, by key: the words it may take, or the sort of scalar. */
const fields: Readonly<Record<keyof UpstreamBehaviour, readonly string[] | 'number' | 'boolean' | 'string'>> = {
  kind: kinds,
  status: 'number',
  reason: ['context_length', 'content_filter', 'prefill', 'quota'],
  retryAfterSeconds: 'number',
  retryAfterDateInSeconds: 'number',
  retryAfterMs: 'number',
  headersDelayMs: 'number',
  firstTokenDelayMs: 'number',
  chunks: 'number',
  spacingMs: 'number',
  text: 'string',
  choices: 'number',
  tool: 'string',
  toolArguments: 'string',
  finish: 'string',
  usage: ['right', 'missing', 'wrong'],
  promptTokens: 'number',
  cachedTokens: 'number',
  completionTokens: 'number',
  reasoningTokens: 'number',
  endMark: 'boolean',
  cutAfter: 'number',
  cutBy: ['close', 'reset', 'end'],
  silentAfter: 'number',
  malformedAfter: 'number',
  errorAfter: 'number',
  pings: 'number',
  pingEveryMs: 'number',
  newline: ['lf', 'crlf'],
  split: ['events', 'bytes'],
  megabytes: 'number',
};

/** Reads `name?key=value&…`. Throws a TypeError for what it does not know: a misspelt fault would be a test that cannot fail. */
export function readBehaviourOfName(model: string): UpstreamBehaviour {
  const at = model.indexOf('?');
  const behaviour: Record<string, unknown> = {};
  if (at < 0) return behaviour;
  for (const [key, text] of new URLSearchParams(model.slice(at + 1))) {
    if (!Object.hasOwn(fields, key)) throw new TypeError(`A model name of the scripted upstream has no setting "${key}".`);
    behaviour[key] = readValue(key as keyof UpstreamBehaviour, text);
  }
  return behaviour;
}

function readValue(key: keyof UpstreamBehaviour, text: string): unknown {
  const kind = fields[key];
  if (kind === 'string') return text;
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (typeof kind === 'object' && kind.includes(text)) return text;
  throw new TypeError(`The setting "${key}" of the scripted upstream does not take "${text}".`);
}
