import type { AttemptHead, AttemptRequest, AttemptResult, AttemptSink, Dialect, Operation, Provider } from '../../../src/llm/spec/index.ts';
import { readShallowBody } from '../../../src/llm/spec/index.ts';
import { Cancellation } from '../../../src/time/index.ts';

/** What a caller of a provider saw. */
export class SeenAnswer implements AttemptSink {
  readonly calls: string[] = [];
  readonly chunks: Buffer[] = [];
  readonly #waiting: (() => void)[] = [];
  /** False makes the reader slow: every piece has to be waited for. */
  flowing = true;
  onData: () => void = () => {};

  connected(): void {
    this.calls.push('connected');
  }
  pulse(): void {}
  head(_head: AttemptHead): void {
    this.calls.push('head');
  }
  data(bytes: Buffer): boolean {
    this.calls.push('data');
    this.chunks.push(Buffer.from(bytes));
    this.onData();
    return this.flowing;
  }
  drained(callback: () => void): void {
    this.#waiting.push(callback);
  }
  drain(): void {
    for (const callback of this.#waiting.splice(0)) callback();
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

export interface Attempt {
  readonly sink: SeenAnswer;
  readonly cancellation: Cancellation;
  readonly result: Promise<AttemptResult>;
}

export function attempt(
  provider: Provider,
  options: {
    readonly model: string;
    readonly stream?: boolean;
    readonly operation?: Operation;
    readonly dialect?: Dialect;
    readonly headers?: Record<string, string>;
    readonly body?: object;
  },
): Attempt {
  const sink = new SeenAnswer();
  const cancellation = new Cancellation();
  const stream = options.stream ?? false;
  const body = {
    model: 'asked',
    ...(stream && { stream: true }),
    messages: [{ role: 'user', content: 'hi' }],
    max_tokens: 100,
    ...options.body,
  };
  const request: AttemptRequest = {
    operation: options.operation ?? 'chat',
    dialect: options.dialect ?? provider.dialect,
    model: options.model,
    stream,
    body: readShallowBody(Buffer.from(JSON.stringify(body))),
    headers: options.headers ?? {},
    cancellation,
  };
  return { sink, cancellation, result: provider.attempt(request, sink) };
}
