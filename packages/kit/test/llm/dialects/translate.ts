import { isHoldfastError, type HoldfastError } from '../../../src/errors/index.ts';
import { withDialects, type DialectOptions, type FieldAtFault } from '../../../src/llm/dialects/index.ts';
import type { AttemptRequest, Dialect } from '../../../src/llm/spec/index.ts';
import { attemptRequest, CollectingSink, fixture, replayProvider } from './replay.ts';

export type Body = Record<string, unknown>;

export const other: Readonly<Record<Dialect, Dialect>> = { openai: 'anthropic', anthropic: 'openai' };

/** What a provider of the other dialect is asked when a client of `dialect` sends this: the text of the body. */
export async function requestText(
  dialect: Dialect,
  body: unknown,
  options: Partial<DialectOptions> = {},
  extra: Partial<AttemptRequest> = {},
): Promise<string> {
  const inner = replayProvider({
    dialect: other[dialect],
    answer: fixture(dialect === 'openai' ? 'anthropic-message.json' : 'openai-completion.json'),
  });
  await withDialects(inner, options).attempt(attemptRequest(dialect, body, { stream: false, ...extra }), new CollectingSink());
  return inner.requests[0]!.body.bytes.toString();
}

/** The same, parsed. */
export async function translateRequest(...args: Parameters<typeof requestText>): Promise<Body> {
  return JSON.parse(await requestText(...args)) as Body;
}

/** The error of a request that cannot be carried. */
export async function refusal(dialect: Dialect, body: unknown): Promise<HoldfastError> {
  const thrown = await translateRequest(dialect, body).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isHoldfastError(thrown)) throw new Error(`not refused: ${JSON.stringify(body)}`, { cause: thrown });
  return thrown;
}

export function fieldsOf(error: HoldfastError): string[] {
  return (error.details as FieldAtFault[]).map(({ field }) => field);
}

/** What a client of `dialect` gets when a provider of the other dialect gives this plain answer. */
export async function translateAnswer(dialect: Dialect, answer: unknown): Promise<Body> {
  const provider = withDialects(
    replayProvider({ dialect: other[dialect], answer: typeof answer === 'string' ? answer : JSON.stringify(answer) }),
  );
  const result = await provider.attempt(attemptRequest(dialect, { model: 'm', max_tokens: 9, messages: [] }), new CollectingSink());
  return JSON.parse(result.tail.toString()) as Body;
}

/** The whole stream that a client of `dialect` gets when a provider of the other dialect sends this one. */
export async function translateStream(
  dialect: Dialect,
  stream: string,
  cut?: (bytes: Buffer) => readonly Buffer[],
  members: Body = {},
): Promise<string> {
  const provider = withDialects(replayProvider({ dialect: other[dialect], answer: stream, ...(cut ? { cut } : {}) }));
  const sink = new CollectingSink();
  const body = { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'hi' }], ...members };
  const result = await provider.attempt(attemptRequest(dialect, body), sink);
  return sink.pieces.join('') + result.tail.toString();
}
