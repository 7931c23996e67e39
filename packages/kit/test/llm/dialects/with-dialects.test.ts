import { describe, expect, test } from 'vitest';
import { AttemptError, type AttemptRequest, type AttemptSink, type Provider } from '../../../src/llm/spec/index.ts';
import { withDialects } from '../../../src/llm/dialects/index.ts';
import { createFakeClock } from '../../../src/testing/index.ts';
import { Cancellation } from '../../../src/time/index.ts';
import { attemptRequest, CollectingSink, fixture, replayProvider } from './replay.ts';
import { fieldsOf, refusal, translateAnswer, translateRequest, translateStream } from './translate.ts';

const hello = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };
const streamed = { ...hello, stream: true };

async function failure(attempt: Promise<unknown>): Promise<AttemptError> {
  return attempt.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as AttemptError,
  );
}

describe('a call in the dialect of the provider', () => {
  test('reaches it as it is: the same request, the same sink, the same result', async () => {
    const seen: unknown[] = [];
    const result = {
      head: { headers: { 'content-length': '2' } },
      tail: Buffer.from('{}'),
      usage: undefined,
      finishReason: undefined,
      servedModel: undefined,
      outputBytes: 0,
    };
    const inner: Provider = {
      ...replayProvider({ dialect: 'openai', answer: '' }),
      attempt: async (...args) => (seen.push(...args), result),
    };
    const request = attemptRequest('openai', '{"model" : "m", "seed":1, "unknown": 2}');
    const sink = new CollectingSink();
    expect(await withDialects(inner).attempt(request, sink)).toBe(result);
    expect(seen[0]).toBe(request);
    expect(seen[1]).toBe(sink);
  });

  test('leaves name, kind, dialect and operations to the provider', () => {
    const inner = replayProvider({ dialect: 'anthropic', answer: '' });
    const provider = withDialects(inner);
    expect([provider.name, provider.kind, provider.dialect, provider.supports('chat'), provider.supports('count_tokens')]).toEqual([
      'replay',
      'anthropic',
      'anthropic',
      true,
      false,
    ]);
  });
});

describe('a call that crosses', () => {
  test("asks in the provider's dialect, for the provider's model, without the headers of the client's", async () => {
    const inner = replayProvider({ dialect: 'openai', answer: fixture('openai-completion.json') });
    const headers = { 'anthropic-beta': 'x', 'anthropic-version': '2023-06-01', traceparent: '00-1' };
    await withDialects(inner).attempt(attemptRequest('anthropic', hello, { model: 'gpt-4o', headers }), new CollectingSink());
    const asked = inner.requests[0]!;
    expect([asked.dialect, asked.model, asked.headers]).toEqual(['openai', 'gpt-4o', { traceparent: '00-1' }]);
    expect(asked.body.value).toEqual(JSON.parse(asked.body.bytes.toString()));
    expect(asked.body.members.has('max_completion_tokens')).toBe(true);
  });

  test("gives the provider's headers on, but none that describe its body", async () => {
    const inner = replayProvider({
      dialect: 'anthropic',
      answer: fixture('anthropic-text.sse'),
      headers: { 'request-id': 'req_1', 'content-length': '99', 'content-encoding': 'br', etag: 'x' },
    });
    const sink = new CollectingSink();
    const result = await withDialects(inner).attempt(attemptRequest('openai', streamed), sink);
    expect(result.head.headers).toEqual({ 'request-id': 'req_1' });
    expect(sink.headers).toEqual({ 'request-id': 'req_1' });
    expect(sink.calls.slice(0, 3)).toEqual(['connected', 'head', 'data']);
  });

  test('reports usage, finish reason and served model as the provider did', async () => {
    const inner = replayProvider({ dialect: 'anthropic', answer: fixture('anthropic-tools.sse') });
    const { usage, finishReason, servedModel } = await withDialects(inner).attempt(
      attemptRequest('openai', streamed),
      new CollectingSink(),
    );
    expect(usage).toMatchObject({
      promptTokens: 2788,
      completionTokens: 187,
      cachedTokens: 2048,
      cacheWriteTokens: 128,
      reasoningTokens: 41,
    });
    expect([finishReason, servedModel]).toEqual(['tool_use', 'claude-opus-4-6']);
  });

  test('holds back from the client all that says that the answer is finished', async () => {
    for (const [dialect, name] of [
      ['openai', 'anthropic-tools.sse'],
      ['anthropic', 'openai-tools.sse'],
    ] as const) {
      const inner = replayProvider({ dialect: dialect === 'openai' ? 'anthropic' : 'openai', answer: fixture(name) });
      const sink = new CollectingSink();
      const { tail } = await withDialects(inner).attempt(attemptRequest(dialect, streamed), sink);
      expect(sink.pieces.join('')).not.toMatch(/"finish_reason":"|\[DONE\]|message_delta|message_stop/);
      expect(tail.toString()).toMatch(/"finish_reason":"tool_calls"[^]*\[DONE\]|"stop_reason":"tool_use"[^]*message_stop/);
    }
  });

  test('passes on each piece as it comes', async () => {
    const source = fixture('openai-tools.sse');
    const inner = replayProvider({
      dialect: 'openai',
      answer: source,
      cut: (bytes) =>
        bytes
          .toString()
          .split(/(?<=\n\n)/)
          .map((event) => Buffer.from(event)),
    });
    const sink = new CollectingSink();
    await withDialects(inner).attempt(attemptRequest('anthropic', streamed), sink);
    expect(sink.pieces.filter((piece) => piece.includes('partial_json'))).toHaveLength(7);
  });

  test('tells the time in seconds', async () => {
    const inner = replayProvider({ dialect: 'anthropic', answer: fixture('anthropic-message.json') });
    const provider = withDialects(inner, { clock: createFakeClock({ nowMs: 1_700_000_000_900 }) });
    const { tail } = await provider.attempt(attemptRequest('openai', hello), new CollectingSink());
    expect(JSON.parse(tail.toString())).toMatchObject({ created: 1_700_000_000 });
  });

  test.each([
    ['embeddings', 'openai', 'anthropic'],
    ['count_tokens', 'anthropic', 'openai'],
  ] as const)(
    'is untouched for %s, which has one wire, when the provider offers it, and refused otherwise',
    async (operation, dialect, providers) => {
      const offering = replayProvider({ dialect: providers, answer: '{"input_tokens":3}' });
      const request = attemptRequest(dialect, hello, { operation });
      const result = await withDialects({ ...offering, supports: () => true }).attempt(request, new CollectingSink());
      expect(offering.requests[0]).toBe(request);
      expect(result.tail.toString()).toBe('{"input_tokens":3}');
      const lacking = replayProvider({ dialect: providers, answer: '{}' });
      const error = await failure(withDialects(lacking).attempt(request, new CollectingSink()));
      expect([error.code, lacking.requests.length]).toEqual(['operation_unsupported', 0]);
    },
  );

  test('that is refused sends nothing', async () => {
    const inner = replayProvider({ dialect: 'anthropic', answer: '{}' });
    const error = await failure(withDialects(inner).attempt(attemptRequest('openai', { ...hello, n: 3 }), new CollectingSink()));
    expect([error.code, error.status, inner.requests.length]).toEqual(['dialect_unsupported', 400, 0]);
  });

  test("names the fields that are wrong in the client's own dialect", async () => {
    const error = await refusal('openai', {
      model: 'm',
      messages: [5, { role: 'user', content: 7 }],
      temperature: 'hot',
      max_tokens: 1.5,
      tools: {},
      stop: [1],
    });
    expect(error.code).toBe('invalid_request');
    expect(fieldsOf(error).toSorted()).toEqual(['max_tokens', 'messages[0]', 'messages[1].content', 'stop[0]', 'temperature', 'tools']);
    const other = await refusal('anthropic', {
      model: 'm',
      max_tokens: -1,
      messages: [5, { role: 'user' }],
      top_p: 'x',
      tools: [7, {}],
      stop_sequences: 'x',
      output_config: [],
      thinking: { type: 'enabled' },
    });
    expect(fieldsOf(other).toSorted()).toEqual([
      'max_tokens',
      'messages[0]',
      'messages[1].content',
      'output_config',
      'stop_sequences',
      'thinking.budget_tokens',
      'tools[0]',
      'tools[1].name',
      'top_p',
    ]);
  });

  test('lists no more fields at fault than a client can read', async () => {
    const body = { ...hello, ...Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x${index}`.padEnd(100, 'y'), 1])) };
    const fields = fieldsOf(await refusal('openai', body));
    expect([fields.length, Math.max(...fields.map((field) => field.length))]).toEqual([50, 64]);
  });

  test('keeps every digit of a long integer in tool calls, there and back', async () => {
    const conversation = (args: string) =>
      `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"look","input":${args}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}`;
    const { messages } = await translateRequest('anthropic', conversation('{"order":12345678901234567890}'));
    expect(JSON.stringify(messages)).toContain(String.raw`{\"order\":12345678901234567890}`);
    const provider = withDialects(replayProvider({ dialect: 'openai', answer: fixture('openai-completion.json') }));
    const { tail } = await provider.attempt(attemptRequest('anthropic', hello), new CollectingSink());
    expect(tail.toString()).toContain('"input":{"location":"Zürich","order":12345678901234567890}');
  });

  test('that nests too deeply inside a string is refused, and an answer that does is malformed', async () => {
    const deep = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`;
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: deep } }] },
      { role: 'tool', tool_call_id: 'c', content: '' },
    ];
    expect(fieldsOf(await refusal('openai', { model: 'm', messages }))).toEqual(['messages[1].tool_calls[0].function.arguments']);
    const answer = {
      id: 'x',
      model: 'm',
      choices: [
        {
          message: { content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: deep } }] },
          finish_reason: 'tool_calls',
        },
      ],
    };
    expect((await failure(translateAnswer('anthropic', answer))).code).toBe('provider_malformed');
  });
});

describe('back-pressure', () => {
  /** A provider that gives its events when it is told to. */
  function puppet(dialect: Provider['dialect']) {
    let sink: AttemptSink | undefined;
    const inner: Provider = {
      ...replayProvider({ dialect, answer: '' }),
      attempt: (_request, given) => ((sink = given), new Promise(() => {})),
    };
    return { inner, sink: () => sink! };
  }
  const event = (data: object): Buffer => Buffer.from(`data: ${JSON.stringify(data)}\n\n`);
  const open = event({ type: 'message_start', message: { id: 'msg_1', model: 'c' } });
  const ping = event({ type: 'ping' });
  const textEvent = event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'x' } });

  test("is what the client's sink says, also across events that write nothing", () => {
    const { inner, sink } = puppet('anthropic');
    const answers = [true, false];
    let resume = (): void => {};
    const outer: AttemptSink = {
      connected() {},
      pulse() {},
      head() {},
      data: () => answers.shift() ?? true,
      drained: (callback) => void (resume = callback),
    };
    void withDialects(inner).attempt(attemptRequest('openai', streamed), outer);
    expect(sink().data(open)).toBe(true);
    expect(sink().data(textEvent)).toBe(false);
    let drained = 0;
    sink().drained(() => drained++);
    expect(sink().data(ping)).toBe(false);
    resume();
    expect(drained).toBe(1);
    expect(sink().data(ping)).toBe(true);
    expect(sink().data(textEvent)).toBe(true);
  });

  test('sees no call of data for events that write nothing', () => {
    const { inner, sink } = puppet('anthropic');
    const outer = new CollectingSink();
    void withDialects(inner).attempt(attemptRequest('openai', streamed), outer);
    sink().data(open);
    sink().data(ping);
    sink().pulse();
    expect(outer.calls).toEqual(['data']);
  });
});

describe('a stream that cannot be translated', () => {
  const chunk = (delta: object, more: object = {}): string =>
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`;
  const done = `${chunk({}, { finish_reason: 'tool_calls' })}data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11}}\n\ndata: [DONE]\n\n`;
  const callOf = (args: string): string =>
    chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: args } }] });

  test('with arguments that are no JSON ends as malformed, and what was used is known', async () => {
    const error = await failure(translateStream('anthropic', callOf('{"a":') + done));
    expect([error.code, error.partial?.usage?.completionTokens]).toEqual(['provider_malformed', 6]);
  });

  test('with arguments that were cut at the limit ends as that', async () => {
    const stream = await translateStream('anthropic', callOf('{"a":') + done.replace('tool_calls', 'length'));
    expect(stream).toContain('"stop_reason":"max_tokens"');
  });

  test('stops the provider, gives nothing more to the client, and keeps what was used', async () => {
    let innerRequest: AttemptRequest | undefined;
    let cancelledWith: unknown;
    const used = { usage: undefined, outputBytes: 12, servedModel: 'gpt' };
    const inner: Provider = {
      ...replayProvider({ dialect: 'openai', answer: '' }),
      attempt: (request, sink) => {
        innerRequest = request;
        sink.head({ headers: {} });
        sink.data(Buffer.from(callOf('{}')));
        sink.data(Buffer.from('data: {"choices": 1, \n\n'));
        sink.data(Buffer.from(callOf('{}')));
        return new Promise((_resolve, reject) =>
          request.cancellation.onCancel(
            (reason) => ((cancelledWith = reason), reject(new AttemptError('client_closed', { partial: used }))),
          ),
        );
      },
    };
    const sink = new CollectingSink();
    const request = attemptRequest('anthropic', streamed);
    const error = await failure(withDialects(inner).attempt(request, sink));
    expect([error.code, error.partial]).toEqual(['provider_malformed', used]);
    expect(cancelledWith).toMatchObject({ code: 'provider_malformed' });
    expect(innerRequest!.cancellation).not.toBe(request.cancellation);
    expect(request.cancellation.cancelled).toBe(false);
    expect(sink.pieces).toHaveLength(1);
  });

  test('with an error in the middle that the provider let pass is not taken for an answer', async () => {
    for (const [dialect, data] of [
      ['anthropic', '{"error":{"message":"x"}}'],
      ['openai', '{"type":"error","error":{"type":"overloaded_error"}}'],
    ] as const) {
      const inner: Provider = {
        ...replayProvider({ dialect: dialect === 'openai' ? 'anthropic' : 'openai', answer: '' }),
        attempt: async () => ({
          head: { headers: {} },
          tail: Buffer.from(`data: ${data}\n\n`),
          usage: undefined,
          finishReason: 'stop',
          servedModel: undefined,
          outputBytes: 0,
        }),
      };
      expect((await failure(withDialects(inner).attempt(attemptRequest(dialect, streamed), new CollectingSink()))).code).toBe(
        'provider_failed',
      );
    }
  });
});

describe('cancellation', () => {
  test('reaches the provider of a translated stream, and its error the caller', async () => {
    const cancellation = new Cancellation();
    const gone = new AttemptError('client_closed');
    const inner: Provider = {
      ...replayProvider({ dialect: 'openai', answer: '' }),
      attempt: (request) => new Promise((_resolve, reject) => request.cancellation.onCancel(reject)),
    };
    const attempt = withDialects(inner).attempt(attemptRequest('anthropic', streamed, { cancellation }), new CollectingSink());
    cancellation.cancel(gone);
    await expect(attempt).rejects.toBe(gone);
  });

  test('is not held on to by a call that has ended', async () => {
    let subscribed = 0;
    const cancellation = new Cancellation();
    const onCancel = cancellation.onCancel.bind(cancellation);
    cancellation.onCancel = (listener) => {
      subscribed++;
      const end = onCancel(listener);
      return () => (subscribed--, end());
    };
    const inner = replayProvider({ dialect: 'openai', answer: fixture('openai-text.sse') });
    await withDialects(inner).attempt(attemptRequest('anthropic', streamed, { cancellation }), new CollectingSink());
    expect(subscribed).toBe(0);
  });
});

describe('a plain answer that cannot be translated', () => {
  test.each([
    ['openai', 'not json'],
    ['openai', '[]'],
    ['openai', '{"type":"message"}'],
    ['openai', '{"content":[5]}'],
    ['openai', '{"content":[{"type":"tool_use","name":"x"}]}'],
    ['anthropic', '{"choices":[]}'],
    ['anthropic', '{"choices":[{"message":{"tool_calls":[{"id":"x"}]}}]}'],
    ['anthropic', '{"choices":[{"message":{"tool_calls":[{"id":"x","function":{"name":"f","arguments":"[1]"}}]}}]}'],
  ] as const)('for a client of %s, such as %s, is malformed and keeps what was used', async (dialect, answer) => {
    const error = await failure(translateAnswer(dialect, answer));
    expect([error.code, error.partial?.outputBytes]).toEqual(['provider_malformed', 7]);
    expect(error.message).not.toContain(answer);
  });

  test('leaves out a call whose arguments were cut at the limit', async () => {
    const answer = {
      id: 'x',
      choices: [
        { message: { content: 'so', tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{"a' } }] }, finish_reason: 'length' },
      ],
    };
    expect(await translateAnswer('anthropic', answer)).toMatchObject({
      content: [{ type: 'text', text: 'so' }],
      stop_reason: 'max_tokens',
    });
  });
});

describe("answers of servers that are only like OpenAI's", () => {
  test('get the ids that they leave out', async () => {
    const message = { tool_calls: [{ function: { name: 'f', arguments: '' } }, { function: { name: 'g' } }] };
    const { id, content } = await translateAnswer('anthropic', { choices: [{ message, finish_reason: 'stop' }] });
    const ids = (content as { id: string }[]).map((block) => block.id);
    expect(id).toMatch(/^msg_[0-9a-f-]{36}$/);
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((callId) => /^[A-Za-z0-9_-]{1,40}$/.test(callId))).toBe(true);
  });

  test('may give text as parts, and calls without an index or in one piece', async () => {
    const delta = {
      content: [{ type: 'text', text: 'a' }, { type: 'thinking' }, { type: 'text', text: 'b' }],
      tool_calls: [
        { id: 'c1', function: { name: 'f', arguments: '{}' } },
        { id: 'c2', function: { name: 'g', arguments: '{"x":1}' } },
      ],
    };
    const stream = await translateStream(
      'anthropic',
      `data: ${JSON.stringify({ choices: [{ delta, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`,
    );
    expect(stream).toContain('"text":"ab"');
    expect(stream).toContain('"partial_json":"{\\"x\\":1}"');
    expect(stream).toContain('"stop_reason":"tool_use"');
  });
});

describe('settings', () => {
  test('name the limit for those who give none, and the field that carries it', async () => {
    expect(await translateRequest('openai', { messages: hello.messages }, { defaultMaxTokens: 32_000 })).toMatchObject({
      max_tokens: 32_000,
    });
    const body = await translateRequest('anthropic', hello, { maxTokensField: 'max_tokens' });
    expect([body['max_tokens'], 'max_completion_tokens' in body]).toEqual([9, false]);
  });

  test('are refused at once when they make no sense', () => {
    for (const defaultMaxTokens of [0, -1, 1.5, Number.NaN]) {
      expect(() => withDialects(replayProvider({ dialect: 'openai', answer: '' }), { defaultMaxTokens })).toThrow(
        expect.objectContaining({ code: 'configuration_invalid' }) as Error,
      );
    }
  });
});
