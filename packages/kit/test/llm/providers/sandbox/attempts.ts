import OpenAI from 'openai';
import { expect } from 'vitest';
import { createFakeClock, createSeededRandom } from '../../../../src/testing/index.ts';
import { Cancellation } from '../../../../src/time/index.ts';
import { readShallowBody, type AttemptResult, type AttemptSink, type Operation, type Provider } from '../../../../src/llm/spec/index.ts';
import { createSandboxProvider, type SandboxProviderOptions } from '../../../../src/llm/providers/sandbox/index.ts';

/** Writes down what it is told, in order, and takes as much as it is allowed to. */
export class RecordingSink implements AttemptSink {
  readonly calls: string[] = [];
  readonly bytes: Buffer[] = [];
  takes = Number.POSITIVE_INFINITY;
  onData: (() => void) | undefined;
  #wake: (() => void) | undefined;
  connected(): void {
    this.calls.push('connected');
  }
  pulse(): void {
    if (this.calls.at(-1) !== 'pulse') this.calls.push('pulse');
  }
  head(): void {
    this.calls.push('head');
  }
  data(bytes: Buffer): boolean {
    this.calls.push('data');
    this.bytes.push(bytes);
    this.onData?.();
    return this.bytes.length < this.takes;
  }
  drained(callback: () => void): void {
    this.#wake = callback;
  }
  drain(more: number): void {
    this.takes += more;
    this.#wake?.();
  }
  get text(): string {
    return Buffer.concat(this.bytes).toString();
  }
}

export interface Started {
  readonly sink: RecordingSink;
  readonly cancellation: Cancellation;
  readonly result: Promise<AttemptResult>;
}

export const messages = [{ role: 'user', content: 'good morning' }];

export function start(
  provider: Provider,
  model: string,
  body: object = {},
  options: { operation?: Operation; dialect?: 'openai' | 'anthropic' } = {},
): Started {
  const sink = new RecordingSink();
  const cancellation = new Cancellation();
  const whole = { model: `sandbox/${model}`, messages, ...body };
  const result = provider.attempt(
    {
      operation: options.operation ?? 'chat',
      dialect: options.dialect ?? 'openai',
      model,
      stream: 'stream' in body && body.stream === true,
      body: readShallowBody(Buffer.from(JSON.stringify(whole))),
      headers: {},
      cancellation,
    },
    sink,
  );
  result.catch(() => {});
  return { sink, cancellation, result };
}

export function setUp(options: Partial<SandboxProviderOptions> = {}) {
  const clock = createFakeClock();
  return { clock, provider: createSandboxProvider({ clock, random: createSeededRandom(1), ...options }) };
}

export interface Completion {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly {
    readonly message: {
      readonly content: string | null;
      readonly tool_calls?: readonly { function: { name: string; arguments: string } }[];
    };
    readonly finish_reason: string;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

export async function ask(model: string, body: object = {}, options: Partial<SandboxProviderOptions> = {}): Promise<Completion> {
  const { provider } = setUp(options);
  return JSON.parse((await start(provider, model, body).result).tail.toString()) as Completion;
}

export async function failureOf(started: { result: Promise<unknown> }): Promise<unknown> {
  return started.result.then(
    () => expect.fail('the attempt should have failed'),
    (error: unknown) => error,
  );
}

export interface Chunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta: { readonly content?: string | null; readonly role?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: object | null;
}

export function chunksOf(text: string): Chunk[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '' && event !== 'data: [DONE]')
    .map((event) => JSON.parse(event.slice('data: '.length)) as Chunk);
}

/** The official SDK on top of the provider, without a server in between. */
export function sdkOn(provider: Provider): OpenAI {
  return new OpenAI({
    apiKey: 'none',
    maxRetries: 0,
    fetch: async (url, init) => {
      const body = JSON.parse(init!.body as string) as { model: string; stream?: boolean };
      const { sink, result } = start(provider, body.model, body, {
        operation: (url as string).endsWith('/embeddings') ? 'embeddings' : 'chat',
      });
      const { tail } = await result;
      return new Response(Buffer.concat([...sink.bytes, tail]), {
        headers: { 'content-type': body.stream ? 'text/event-stream' : 'application/json' },
      });
    },
  });
}
