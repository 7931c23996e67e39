import { Ajv2020 } from 'ajv/dist/2020.js';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../../errors/index.ts';
import { createFakeClock, createSeededRandom } from '../../../testing/index.ts';
import { Cancellation } from '../../../time/index.ts';
import { readShallowBody, type AttemptResult, type AttemptSink, type Operation, type Provider } from '../../spec/index.ts';
import { OpenaiInspector, StreamReader } from '../../wire/index.ts';
import { createSandboxProvider, type SandboxProviderOptions } from './index.ts';

/** Writes down what it is told, in order, and takes as much as it is allowed to. */
class RecordingSink implements AttemptSink {
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

interface Started {
  readonly sink: RecordingSink;
  readonly cancellation: Cancellation;
  readonly result: Promise<AttemptResult>;
}

const messages = [{ role: 'user', content: 'good morning' }];

function start(
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

function setUp(options: Partial<SandboxProviderOptions> = {}) {
  const clock = createFakeClock();
  return { clock, provider: createSandboxProvider({ clock, random: createSeededRandom(1), ...options }) };
}

interface Completion {
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

async function ask(model: string, body: object = {}, options: Partial<SandboxProviderOptions> = {}): Promise<Completion> {
  const { provider } = setUp(options);
  return JSON.parse((await start(provider, model, body).result).tail.toString()) as Completion;
}

async function failureOf(started: { result: Promise<unknown> }): Promise<unknown> {
  return started.result.then(
    () => expect.fail('the attempt should have failed'),
    (error: unknown) => error,
  );
}

interface Chunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta: { readonly content?: string | null; readonly role?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: object | null;
}

function chunksOf(text: string): Chunk[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '' && event !== 'data: [DONE]')
    .map((event) => JSON.parse(event.slice('data: '.length)) as Chunk);
}

/** The official SDK on top of the provider, without a server in between. */
function sdkOn(provider: Provider): OpenAI {
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

describe('what it says', () => {
  test('demo answers in a sentence and echoes the user; echo says just that', async () => {
    expect((await ask('demo')).choices[0]!.message.content).toMatch(/sandbox.*“good morning”$/i);
    expect((await ask('echo')).choices[0]!.message.content).toBe('good morning');
  });

  test('is the same for the same prompt, and another for another seed', async () => {
    const say = async (model: string, body: object = {}) => (await ask(model, body)).choices[0]!.message.content;
    const first = await say('demo?tokens=60');
    expect(await say('demo?tokens=60')).toBe(first);
    expect(await say('demo?tokens=60&seed=5')).not.toBe(first);
    expect(await say('demo?tokens=60', { seed: 5 })).not.toBe(first);
    expect(await say('demo?tokens=60', {}).then((text) => text?.length)).toBeGreaterThan(100);
  });

  test('usage counts what went in and what came out, and `tokens` is exact', async () => {
    const answer = await ask('demo?tokens=37', { n: 2 });
    expect(answer.usage).toMatchObject({ completion_tokens: 74 });
    expect(answer.usage!.prompt_tokens).toBeGreaterThan(2);
    const longer = await ask('demo', { messages: [{ role: 'system', content: 'be brief and kind' }, ...messages] });
    expect(longer.usage!.prompt_tokens).toBeGreaterThan(answer.usage!.prompt_tokens);
    expect(await ask('demo?usage=none')).not.toHaveProperty('usage');
  });

  test('max_tokens cuts with finish_reason length; stop cuts with finish_reason stop', async () => {
    const body = { messages: [{ role: 'user', content: 'one two three four five' }] };
    expect((await ask('echo', { ...body, max_tokens: 2 })).choices[0]).toMatchObject({
      message: { content: 'one two' },
      finish_reason: 'length',
    });
    expect((await ask('echo', { ...body, max_completion_tokens: 3, max_tokens: 1 })).choices[0]!.message.content).toBe('one two three');
    expect((await ask('echo', { ...body, stop: [' fo', 'five'] })).choices[0]).toMatchObject({
      message: { content: 'one two three' },
      finish_reason: 'stop',
    });
    expect((await ask('echo', { ...body, stop: 'wo' })).choices[0]!.message.content).toBe('one t');
    expect((await ask('demo?tokens=10', { max_tokens: 10 })).choices[0]!.finish_reason).toBe('stop');
  });

  test('n choices are n answers', async () => {
    const { choices } = await ask('demo?tokens=80', { n: 3 });
    expect(new Set(choices.map((choice) => choice.message.content)).size).toBe(3);
  });

  test('parts of a message are read as text', async () => {
    const content = [
      { type: 'text', text: 'look: ' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      { type: 'text', text: 'a cat' },
    ];
    const answer = await ask('echo', { messages: [{ role: 'user', content }] });
    expect(answer.choices[0]!.message.content).toBe('look: a cat');
    expect(answer.usage!.prompt_tokens).toBeGreaterThan(85);
  });

  test('response_format json_schema gives JSON that fits', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, degrees: { type: 'number', minimum: -50, maximum: 50 } },
      required: ['city', 'degrees'],
      additionalProperties: false,
    };
    const { choices } = await ask('demo', {
      response_format: { type: 'json_schema', json_schema: { name: 'weather', strict: true, schema } },
    });
    expect(new Ajv2020().validate(schema, JSON.parse(choices[0]!.message.content!))).toBe(true);
    const anything = await ask('demo', { response_format: { type: 'json_object' } });
    expect(JSON.parse(anything.choices[0]!.message.content!)).toHaveProperty('answer');
  });
});

describe('tools', () => {
  const parameters = {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 7 } },
    required: ['city', 'days'],
    additionalProperties: false,
  };
  const tools = [
    { type: 'function', function: { name: 'add', parameters: { type: 'object', properties: {} } } },
    { type: 'function', function: { name: 'get_weather', parameters } },
  ];
  const user = (content: string) => ({ messages: [{ role: 'user', content }], tools });

  test('a tool that is required or named is called with arguments that fit its schema', async () => {
    const specific = await ask('demo', { ...user('hi'), tool_choice: { type: 'function', function: { name: 'get_weather' } } });
    const call = specific.choices[0]!.message.tool_calls![0]!.function;
    expect([call.name, new Ajv2020().validate(parameters, JSON.parse(call.arguments)), specific.choices[0]!.finish_reason]).toEqual([
      'get_weather',
      true,
      'tool_calls',
    ]);
    expect((await ask('demo', { ...user('hi'), tool_choice: 'required' })).choices[0]!.message.tool_calls![0]!.function.name).toBe('add');
    const allowed = {
      type: 'allowed_tools',
      allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'get_weather' } }] },
    };
    expect((await ask('demo', { ...user('add'), tool_choice: allowed })).choices[0]!.message.tool_calls![0]!.function.name).toBe(
      'get_weather',
    );
  });

  test('of its own accord a tool is called only when the prompt asks for it by name', async () => {
    expect((await ask('demo', user('please call get_weather for Paris'))).choices[0]!.message.tool_calls).toHaveLength(1);
    expect((await ask('demo', user('what is my address?'))).choices[0]!.message.tool_calls).toBeUndefined();
    expect((await ask('demo', { ...user('get_weather'), tool_choice: 'none' })).choices[0]!.message.tool_calls).toBeUndefined();
  });

  test('a loop of calls ends: the answer of a tool is answered with text', async () => {
    const conversation = [
      { role: 'user', content: 'get_weather please' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
    ];
    const answer = await ask('demo', { messages: conversation, tools });
    expect(answer.choices[0]!.message.content).toContain('sunny');
    expect(answer.choices[0]!.finish_reason).toBe('stop');
  });

  test('streamed, the official SDK puts the call together again', async () => {
    const client = sdkOn(setUp().provider);
    const completion = await client.chat.completions
      .stream({ model: 'demo', ...user('hi'), tool_choice: 'required', tools: [tools[1]!] } as never)
      .finalChatCompletion();
    const call = completion.choices[0]!.message.tool_calls![0]!;
    expect(call.type === 'function' && new Ajv2020().validate(parameters, JSON.parse(call.function.arguments))).toBe(true);
  });
});

describe('streams', () => {
  test('come as token-sized pieces in the order of the contract, and end in the tail', async () => {
    const { provider } = setUp();
    const { sink, result } = start(provider, 'demo?tokens=12', { stream: true });
    const { tail, finishReason, usage, servedModel, outputBytes } = await result;
    expect(sink.calls.filter((call) => call !== 'pulse')).toEqual(['connected', 'head', ...Array<string>(12).fill('data')]);
    expect(sink.calls.slice(0, 4)).toEqual(['connected', 'pulse', 'head', 'data']);
    const content = chunksOf(sink.text)
      .map((chunk) => chunk.choices[0]!.delta.content)
      .filter((text) => text !== '');
    expect(content).toHaveLength(12);
    expect(chunksOf(sink.text).every((chunk) => chunk.choices[0]!.finish_reason === null)).toBe(true);
    expect(chunksOf(tail.toString())).toMatchObject([{ choices: [{ finish_reason: 'stop' }] }]);
    expect(tail.toString().endsWith('data: [DONE]\n\n')).toBe(true);
    expect({ finishReason, servedModel, outputBytes }).toEqual({
      finishReason: 'stop',
      servedModel: 'demo',
      outputBytes: Buffer.byteLength(content.join('')),
    });
    expect(usage).toMatchObject({ completionTokens: 12, source: 'provider' });
  });

  test('say the same as the plain answer', async () => {
    const { provider } = setUp();
    const plain = JSON.parse((await start(provider, 'demo?tokens=40').result).tail.toString()) as Completion;
    const { sink, result } = start(provider, 'demo?tokens=40', { stream: true });
    await result;
    expect(
      chunksOf(sink.text)
        .map((chunk) => chunk.choices[0]!.delta.content)
        .join(''),
    ).toBe(plain.choices[0]!.message.content);
  });

  test('tell usage in an event only when it was asked for, and in the result always', async () => {
    const { provider } = setUp();
    const stream = async (model: string, includeUsage: boolean) => {
      const { sink, result } = start(provider, model, { stream: true, ...(includeUsage && { stream_options: { include_usage: true } }) });
      const { tail, usage } = await result;
      return { before: chunksOf(sink.text), after: chunksOf(tail.toString()), usage };
    };
    const asked = await stream('demo?tokens=3', true);
    expect(asked.before.every((chunk) => chunk.usage === null)).toBe(true);
    expect(asked.after.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
    const unasked = await stream('demo?tokens=3', false);
    expect([...unasked.before, ...unasked.after].some((chunk) => 'usage' in chunk)).toBe(false);
    expect(unasked.usage).toMatchObject({ completionTokens: 3 });
    const none = await stream('demo?usage=none', true);
    expect([none.usage, none.after.length]).toEqual([undefined, 1]);
  });

  test('of several choices finish in the data but for the last, which finishes in the tail', async () => {
    const { provider } = setUp();
    // The same text for each, so that both end in the same round.
    const { sink, result } = start(provider, 'echo', { stream: true, n: 2 });
    const { tail } = await result;
    const finished = (text: string) =>
      chunksOf(text).flatMap((chunk) => chunk.choices.filter((choice) => choice.finish_reason !== null).map((choice) => choice.index));
    expect([finished(sink.text), finished(tail.toString())]).toEqual([[0], [1]]);
    expect(
      chunksOf(sink.text)
        .filter((chunk) => chunk.choices[0]!.delta.role)
        .map((chunk) => chunk.choices[0]!.index),
    ).toEqual([0, 1]);
  });

  test('without a single token go out whole in the tail, opening first, and call no head', async () => {
    const { provider } = setUp();
    const { sink, result } = start(provider, 'echo', { stream: true, stop: ['g'], n: 2 });
    const { tail } = await result;
    expect(sink.calls.filter((call) => call !== 'pulse')).toEqual(['connected']);
    expect(chunksOf(tail.toString()).map((chunk) => [chunk.choices[0]!.index, chunk.choices[0]!.finish_reason])).toEqual([
      [0, null],
      [1, null],
      [0, 'stop'],
      [1, 'stop'],
    ]);
  });

  test('are what the reader of real providers takes for whole', async () => {
    const { provider } = setUp();
    const { sink, result } = start(provider, 'demo?tokens=20', { stream: true, n: 2, stream_options: { include_usage: true } });
    const { tail, usage } = await result;
    const reader = new StreamReader({
      inspector: new OpenaiInspector(2),
      sink: new RecordingSink(),
      head: { headers: {} },
      dropUsageEvents: false,
      endMark: Buffer.from('data: [DONE]\n\n'),
      endMarkSuffices: false,
      maxEventBytes: 1_000_000,
      classifyError: () => 'provider_failed',
    });
    for (const bytes of sink.bytes) reader.push(bytes);
    reader.push(tail);
    expect(reader.end()).toMatchObject({ usage, finishReason: 'stop', servedModel: 'demo', tail });
  });

  test('the official SDK reads them', async () => {
    const client = sdkOn(setUp().provider);
    const stream = await client.chat.completions.create({
      model: 'echo',
      messages: [{ role: 'user', content: 'grüß dich 👋' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    expect(text).toBe('grüß dich 👋');
    expect(tokens).toBeGreaterThan(2);
  });

  test('stop while the reader is behind, and go on when it has caught up', async () => {
    const { provider } = setUp();
    const sink = new RecordingSink();
    sink.takes = 3;
    const body = readShallowBody(Buffer.from(JSON.stringify({ messages })));
    let whole = false;
    const result = provider
      .attempt(
        { operation: 'chat', dialect: 'openai', model: 'demo?tokens=8', stream: true, body, headers: {}, cancellation: new Cancellation() },
        sink,
      )
      .then(() => (whole = true));
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    await settle();
    expect([sink.bytes.length, whole]).toEqual([3, false]);
    sink.drain(2);
    await settle();
    expect([sink.bytes.length, whole]).toEqual([5, false]);
    sink.drain(100);
    await result;
    expect(sink.bytes).toHaveLength(8);
  });
});

describe('time', () => {
  test('latency comes before the first token and delay between tokens, without drift', async () => {
    const { clock, provider } = setUp();
    const { sink, result } = start(provider, 'demo?tokens=4&latencyMs=200&delayMs=20', { stream: true });
    await clock.advanceAsync(199);
    expect(sink.calls).toEqual(['connected']);
    await clock.advanceAsync(1);
    expect(sink.bytes).toHaveLength(1);
    await clock.advanceAsync(39);
    expect(sink.bytes).toHaveLength(2);
    await clock.advanceAsync(21);
    await result;
    expect([sink.bytes.length, clock.pendingTimers]).toEqual([4, 0]);
  });

  test('a plain answer takes as long as its stream would', async () => {
    const { clock, provider } = setUp();
    const { result } = start(provider, 'demo?tokens=4&latencyMs=200&delayMs=20');
    let whole = false;
    void result.then(() => (whole = true));
    await clock.advanceAsync(259);
    expect(whole).toBe(false);
    await clock.advanceAsync(1);
    expect(whole).toBe(true);
  });

  test.each([
    ['while it waits for the first token', 'demo?latencyMs=1000', true],
    ['between tokens', 'demo?tokens=50&delayMs=1000', true],
    ['while it is silent', 'demo?silent=true', true],
    ['while it is stalled', 'demo?stallAfter=1', true],
    ['in the middle of a plain answer', 'demo?tokens=50&delayMs=1000', false],
  ])('a cancellation is honoured at once %s, with its reason and no timer left', async (_name, model, stream) => {
    const { clock, provider } = setUp();
    const { sink, cancellation, result } = start(provider, model, { stream });
    await clock.advanceAsync(10);
    const before = sink.calls.length;
    const reason = new HoldfastError('call_timeout', { detail: 'the limit passed' });
    cancellation.cancel(reason);
    expect(await failureOf({ result })).toMatchObject({ code: 'call_timeout', cause: reason, partial: { usage: undefined } });
    await clock.advanceAsync(100_000);
    expect([sink.calls.length, clock.pendingTimers]).toEqual([before, 0]);
  });

  test('a cancellation is honoured between two tokens that need no wait, and while the reader is behind', async () => {
    const { provider } = setUp();
    const burst = start(provider, 'demo?tokens=100', { stream: true });
    burst.sink.onData = () => burst.sink.bytes.length === 5 && burst.cancellation.cancel(new HoldfastError('client_closed'));
    expect(await failureOf(burst)).toMatchObject({ code: 'client_closed' });
    expect(burst.sink.bytes).toHaveLength(5);

    const behind = start(provider, 'demo?tokens=100', { stream: true });
    behind.sink.takes = 1;
    await new Promise((resolve) => setImmediate(resolve));
    behind.cancellation.cancel(new HoldfastError('client_closed'));
    expect(await failureOf(behind)).toMatchObject({ code: 'client_closed', partial: { outputBytes: expect.any(Number) as number } });
  });

  test('one that was cancelled before it began is never connected', async () => {
    const { provider } = setUp();
    const cancellation = new Cancellation();
    cancellation.cancel(new HoldfastError('client_closed'));
    const sink = new RecordingSink();
    const body = readShallowBody(Buffer.from(JSON.stringify({ messages })));
    const result = provider.attempt(
      { operation: 'chat', dialect: 'openai', model: 'demo', stream: true, body, headers: {}, cancellation },
      sink,
    );
    expect(await failureOf({ result })).toMatchObject({ code: 'client_closed' });
    expect(sink.calls).toEqual([]);
  });

  test('a long burst gives the event loop its turns', async () => {
    const { clock, provider } = setUp();
    const { sink, result } = start(provider, 'demo?tokens=600', { stream: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.bytes.length).toBeLessThan(600);
    await clock.advanceAsync(1);
    await result;
    expect(sink.bytes).toHaveLength(600);
  });
});

describe('faults', () => {
  test.each([
    ['status=400', { code: 'provider_rejected_request', upstreamStatus: 400, details: { provider_message: expect.any(String) as string } }],
    ['status=400&reason=context_length', { code: 'context_length_exceeded' }],
    ['status=400&reason=content_filter', { code: 'content_filtered' }],
    ['status=401', { code: 'provider_auth_failed', upstreamStatus: 401, details: undefined }],
    ['status=404', { code: 'provider_rejected_request', upstreamStatus: 404 }],
    ['status=429&retryAfterS=2', { code: 'provider_rate_limited', upstreamStatus: 429, retryAfterSeconds: 2 }],
    ['status=500', { code: 'provider_failed', upstreamStatus: 500 }],
    ['status=503&retryAfterS=0.5', { code: 'provider_overloaded', retryAfterSeconds: 0.5 }],
    ['status=529', { code: 'provider_overloaded', upstreamStatus: 529 }],
  ])('%s is the error of a real provider, for every operation', async (query, expected) => {
    const { provider } = setUp();
    for (const [operation, body] of [
      ['chat', { stream: true }],
      ['chat', {}],
      ['embeddings', { input: 'a' }],
      ['count_tokens', {}],
    ] as const) {
      const started = start(provider, `demo?${query}`, body, { operation });
      expect(await failureOf(started)).toMatchObject(expected);
      expect(started.sink.calls).toEqual(['connected']);
    }
  });

  test('errorRate is a matter of chance, and of the chance that is passed in', async () => {
    const { provider } = setUp({ random: createSeededRandom(3) });
    let failures = 0;
    for (let call = 0; call < 200; call++) await start(provider, 'demo?status=500&errorRate=0.25').result.catch(() => failures++);
    expect(failures).toBeGreaterThan(25);
    expect(failures).toBeLessThan(75);
    await expect(start(provider, 'demo?status=500&errorRate=0').result).resolves.toBeDefined();
  });

  test.each([
    ['cutAfter=2', 'stream_cut'],
    ['malformedAfter=2', 'provider_malformed'],
  ])('%s fails after two tokens of a stream, and knows what had gone out', async (query, code) => {
    const { provider } = setUp();
    const started = start(provider, `echo?${query}`, { stream: true, messages: [{ role: 'user', content: 'one two three' }] });
    expect(await failureOf(started)).toMatchObject({
      code,
      partial: { outputBytes: 'one two'.length, servedModel: 'echo', usage: undefined },
    });
    expect(started.sink.bytes).toHaveLength(2);
    expect(await failureOf(start(provider, `demo?${query}`))).toMatchObject({ code });
  });

  test('a fault takes place also when the answer is shorter', async () => {
    const { provider } = setUp();
    const started = start(provider, 'echo?cutAfter=1000', { stream: true });
    expect(await failureOf(started)).toMatchObject({ code: 'stream_cut' });
    expect(started.sink.bytes).toHaveLength(2);
  });

  test('a stall ends by nothing but its cancellation', async () => {
    const { clock, provider } = setUp();
    const started = start(provider, 'echo?stallAfter=1', { stream: true });
    let settled = false;
    started.result.then(() => (settled = true)).catch(() => (settled = true));
    await clock.advanceAsync(10_000_000);
    expect([settled, started.sink.bytes.length]).toEqual([false, 1]);
    started.cancellation.cancel(new HoldfastError('stream_stalled'));
    expect(await failureOf(started)).toMatchObject({ code: 'stream_stalled', partial: { outputBytes: 4 } });
  });
});

describe('settings', () => {
  test.each([
    ['demo?tokns=5', 'tokns'],
    ['demo?tokens=0', 'tokens'],
    ['demo?tokens=many', 'tokens'],
    ['demo?tokens=5&tokens=6', 'given twice'],
    ['demo?status=418', 'status'],
    ['demo?retryAfterS=2', 'needs a status'],
    ['demo?errorRate=2&status=500', 'errorRate'],
    ['demo?silent=yes', 'true or false'],
    ['demo?status=500&reason=content_filter', 'needs the status 400'],
    ['demo?__proto__=1', '__proto__'],
    ['', 'must be a name'],
    ['de mo', 'must be a name'],
    [`demo?${'x'.repeat(2_000)}`, 'longer'],
  ])('a model name with a fault is refused with a reason: %s', async (model, reason) => {
    const started = start(setUp().provider, model);
    const error = (await failureOf(started)) as HoldfastError;
    expect(error.code).toBe('invalid_request');
    expect(JSON.stringify(error.details)).toContain(reason);
    expect(started.sink.calls).toEqual([]);
  });

  test('come from the configuration, then the model, then the name, which wins', async () => {
    const options = { settings: { tokens: 7, usage: 'none' }, models: { short: { tokens: 3, usage: 'reported' } } } as const;
    const tokens = async (model: string) => (await ask(model, {}, options)).usage?.completion_tokens;
    expect(await tokens('other')).toBeUndefined();
    expect(await tokens('other?usage=reported')).toBe(7);
    expect(await tokens('short')).toBe(3);
    expect(await tokens('short?tokens=5')).toBe(5);
  });

  test('of a configuration are refused at construction, all faults in one list', () => {
    const bad = { settings: { latencyMs: -1, colour: 'red' }, models: { a: { retryAfterS: 5 }, b: 7 } } as never;
    expect(() => createSandboxProvider(bad)).toThrowError(
      expect.objectContaining({
        code: 'configuration_invalid',
        details: {
          fields: ['settings.latencyMs', 'settings.colour', 'models.a.retryAfterS', 'models.b'].map((path): unknown =>
            expect.objectContaining({ path }),
          ),
        },
      }),
    );
  });

  test('an object that the caller changes later changes nothing', async () => {
    const settings: { tokens: number } = { tokens: 3 };
    const { provider } = setUp({ settings });
    settings.tokens = 9;
    expect((await start(provider, 'demo').result).usage).toMatchObject({ completionTokens: 3 });
  });
});

describe('requests that no provider would take', () => {
  test.each([
    [{ messages: [] }, 'messages'],
    [{ messages: 'hello' }, 'messages'],
    [{ messages: [{ content: 'no role' }] }, 'role'],
    [{ n: 0 }, "'n'"],
    [{ n: 1000 }, "'n'"],
    [{ max_tokens: 1.5 }, 'max_tokens'],
    [{ stop: [1] }, 'stop'],
    [{ tools: [{}] }, 'tools[0]'],
    [{ tool_choice: 'required' }, 'tool_choice'],
    [{ tool_choice: 7, tools: [{ type: 'function', function: { name: 'a' } }] }, 'tool_choice'],
    [{ tool_choice: { type: 'function', function: { name: 'b' } }, tools: [{ type: 'function', function: { name: 'a' } }] }, 'tool_choice'],
    [{ response_format: { type: 'xml' } }, 'response_format'],
  ])('%j is refused before a connection, with the reason', async (body, reason) => {
    const started = start(setUp().provider, 'demo', body);
    const error = (await failureOf(started)) as HoldfastError & { upstreamStatus: number };
    expect([error.code, error.upstreamStatus]).toEqual(['provider_rejected_request', 400]);
    expect((error.details as { provider_message: string }).provider_message).toContain(reason);
    expect(started.sink.calls).toEqual([]);
  });

  test('too many tokens over all choices are refused, and an endless echo is cut', async () => {
    expect(await failureOf(start(setUp().provider, 'demo?tokens=131072', { n: 2 }))).toMatchObject({ code: 'provider_rejected_request' });
    const { choices, usage } = await ask('echo', { messages: [{ role: 'user', content: 'ab '.repeat(200_000) }] });
    expect([choices[0]!.finish_reason, usage!.completion_tokens]).toEqual(['length', 131_072]);
  });

  test('another dialect than OpenAI is left to whoever translates', async () => {
    expect(await failureOf(start(setUp().provider, 'demo', {}, { dialect: 'anthropic' }))).toMatchObject({ code: 'dialect_unsupported' });
  });
});

describe('embeddings', () => {
  const embed = async (body: object, model = 'embed') => {
    const { tail, usage } = await start(setUp().provider, model, body, { operation: 'embeddings' }).result;
    const answer = JSON.parse(tail.toString()) as { data: { index: number; embedding: number[] }[]; usage: object };
    return { vectors: answer.data.map((item) => item.embedding), indexes: answer.data.map((item) => item.index), usage };
  };
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);

  test('are unit vectors of the length asked for, the same for the same text', async () => {
    const { vectors, indexes } = await embed({ input: ['a cat sat', 'a cat sat', 'stock prices', '   ', 'a'], dimensions: 64 });
    expect(indexes).toEqual([0, 1, 2, 3, 4]);
    for (const vector of vectors) {
      expect(vector).toHaveLength(64);
      expect(dot(vector, vector)).toBeCloseTo(1, 5);
    }
    expect(vectors[0]).toEqual(vectors[1]);
    expect(vectors[0]).not.toEqual(vectors[2]);
    expect((await embed({ input: 'x' })).vectors[0]).toHaveLength(1536);
    expect((await embed({ input: 'x' }, 'embed?dimensions=3')).vectors[0]).toHaveLength(3);
    expect((await embed({ input: 'one', dimensions: 1 })).vectors[0]!.map(Math.abs)).toEqual([1]);
  });

  test('of texts that share words lie closer together', async () => {
    const { vectors } = await embed({ input: ['the invoice is due in March', 'when is the invoice due', 'penguins swim very well'] });
    expect(dot(vectors[0]!, vectors[1]!)).toBeGreaterThan(dot(vectors[0]!, vectors[2]!) + 0.2);
  });

  test('the official SDK gets the same numbers through base64 as through floats', async () => {
    const client = sdkOn(setUp().provider);
    const base64 = await client.embeddings.create({ model: 'embed', input: 'hello', dimensions: 16 });
    const floats = await client.embeddings.create({ model: 'embed', input: 'hello', dimensions: 16, encoding_format: 'float' });
    expect(base64.data[0]!.embedding).toEqual(floats.data[0]!.embedding);
    expect(base64.usage).toEqual({ prompt_tokens: 1, total_tokens: 1 });
  });

  test('take tokens and lists of tokens', async () => {
    const one = await embed({ input: [1, 2, 3], dimensions: 8 });
    const many = await embed({ input: [[1, 2, 3], [4]], dimensions: 8 });
    expect(many.vectors[0]).toEqual(one.vectors[0]);
    expect(many.usage).toMatchObject({ promptTokens: 4, completionTokens: 0 });
  });

  test.each([
    [{ input: '' }],
    [{ input: [] }],
    [{ input: ['a', ''] }],
    [{ input: [[1.5]] }],
    [{ input: 7 }],
    [{}],
    [{ input: 'a', dimensions: 0 }],
    [{ input: 'a', dimensions: 9_999 }],
    [{ input: 'a', encoding_format: 'hex' }],
    [{ input: 'word '.repeat(9_000) }],
    [{ input: Array<string>(2_049).fill('a') }],
  ])('refuse %j', async (body) => {
    expect(await failureOf(start(setUp().provider, 'embed', body, { operation: 'embeddings' }))).toMatchObject({
      code: 'provider_rejected_request',
    });
  });
});

describe('count_tokens', () => {
  test("answers in Anthropic's shape, for an Anthropic body, and uses nothing", async () => {
    const { provider } = setUp();
    const count = async (body: object) => {
      const { tail, usage } = await start(provider, 'demo', body, { operation: 'count_tokens', dialect: 'anthropic' }).result;
      expect(usage).toMatchObject({ promptTokens: 0, completionTokens: 0 });
      return JSON.parse(tail.toString()) as { input_tokens: number };
    };
    const short = await count({ messages: [{ role: 'user', content: 'hello' }] });
    expect(Object.keys(short)).toEqual(['input_tokens']);
    const long = await count({
      system: 'be kind',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hello there, how are you?' }] }],
      tools: [{ name: 'a', input_schema: {} }],
    });
    expect(long.input_tokens).toBeGreaterThan(short.input_tokens + 5);
  });

  test('every operation is supported', () => {
    const { provider } = setUp();
    expect((['chat', 'embeddings', 'count_tokens'] as const).map((operation) => provider.supports(operation))).toEqual([true, true, true]);
  });
});
