import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { requestId, startGateway, type Gateway } from './fixture.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterEach(() => gateway.upstream.reset());
afterAll(() => gateway.stop());

const messages = [{ role: 'user' as const, content: 'Hello' }];
const weather = {
  type: 'function' as const,
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};

describe('the official OpenAI SDK', () => {
  test('gets an answer, byte for byte that of the provider, and it is in the ledger', async () => {
    gateway.upstream.script('gpt-4o-mini', { text: 'Hello yourself', promptTokens: 9, completionTokens: 4, cachedTokens: 2 });
    const id = requestId();
    const { data, response } = await gateway.openai.chat.completions
      .create({ model: 'fast', messages, user: 'customer-7' }, { headers: { 'x-request-id': id, 'x-holdfast-feature': 'greeting' } })
      .withResponse();
    expect(data.choices[0]!.message.content).toBe('Hello yourself');
    expect(response.headers.get('x-request-id')).toBe(id);
    expect(response.headers.get('x-holdfast-provider')).toBe('primary');
    expect(response.headers.get('x-holdfast-model')).toBe('gpt-4o-mini');
    expect(Number(response.headers.get('x-holdfast-overhead-ms'))).toBeGreaterThan(0);
    const [row] = await gateway.rowsOf(id);
    expect(row).toMatchObject({
      request_id: id,
      operation: 'chat',
      dialect: 'openai',
      streamed: false,
      model_asked: 'fast',
      provider: 'primary',
      prompt_tokens: 9,
      completion_tokens: 4,
      cached_tokens: 2,
      usage_source: 'provider',
      outcome: 'completed',
      status: 200,
      end_user: 'customer-7',
      feature: 'greeting',
      finish_reason: 'stop',
      attempts: [{ provider: 'primary', model: 'gpt-4o-mini', outcome: 'completed' }],
    });
    // 9 prompt tokens, 2 of them cached, and 4 of answer, at the prices of the dated file.
    expect(row!.cost_nano_usd).toBeGreaterThan(0);
  });

  test('streams, and the end is held back until the row is in the ledger', async () => {
    gateway.upstream.script('gpt-4o-mini', { chunks: 20, spacingMs: 2 });
    const id = requestId();
    const { data: stream, response } = await gateway.openai.chat.completions
      .create({ model: 'fast', messages, stream: true }, { headers: { 'x-request-id': id } })
      .withResponse();
    let text = '';
    let finish: string | null = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      expect(chunk.usage ?? null).toBeNull();
      if (chunk.choices[0]?.finish_reason) {
        finish = chunk.choices[0].finish_reason;
        // At this moment the client believes that it has all of it: the ledger must already.
        expect(await gateway.rowsOf(id)).toMatchObject([{ outcome: 'completed', streamed: true, usage_source: 'provider' }]);
      }
    }
    expect(finish).toBe('stop');
    expect(text.trim().split(' ')).toHaveLength(20);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const [row] = await gateway.rowsOf(id);
    expect(row!.first_token_ms).toBeGreaterThan(0);
    expect(row!.first_token_ms).toBeLessThanOrEqual(row!.latency_ms!);
  });

  test('gets the usage of a stream when it asks for it', async () => {
    const stream = await gateway.openai.chat.completions.create({
      model: 'fast',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const usages = [];
    for await (const chunk of stream) if (chunk.usage) usages.push(chunk.usage);
    expect(usages).toHaveLength(1);
  });

  test('calls tools, streamed and not', async () => {
    gateway.upstream.script('gpt-4o-mini', { tool: 'get_weather', toolArguments: '{"city":"Graz"}' });
    const plain = await gateway.openai.chat.completions.create({ model: 'fast', messages, tools: [weather] });
    expect(plain.choices[0]!.message.tool_calls).toMatchObject([{ function: { name: 'get_weather', arguments: '{"city":"Graz"}' } }]);
    const final = await gateway.openai.chat.completions.stream({ model: 'fast', messages, tools: [weather] }).finalChatCompletion();
    expect(final.choices[0]!.message.tool_calls).toMatchObject([{ function: { name: 'get_weather', arguments: '{"city":"Graz"}' } }]);
  });

  test('reaches a provider of the other dialect, streamed and not', async () => {
    gateway.upstream.script('claude-sonnet-4-5', { text: 'Bonjour' });
    const plain = await gateway.openai.chat.completions.create({ model: 'smart', messages });
    expect(plain.choices[0]!.message.content).toBe('Bonjour');
    const final = await gateway.openai.chat.completions.stream({ model: 'smart', messages }).finalChatCompletion();
    expect(final.choices[0]).toMatchObject({ message: { content: 'Bonjour' }, finish_reason: 'stop' });
    expect(gateway.upstream.calls.every((call) => call.path === '/v1/messages')).toBe(true);
  });

  test('embeds, in the base64 that it asks for by itself', async () => {
    const answer = await gateway.openai.embeddings.create({ model: 'embed', input: ['one', 'two'] });
    expect(answer.data).toHaveLength(2);
    expect(answer.data[0]!.embedding.length).toBeGreaterThan(0);
  });

  test('lists and shows models', async () => {
    const names = [];
    for await (const model of gateway.openai.models.list()) names.push(model.id);
    expect(names).toEqual(['fast', 'smart', 'embed', 'spare', 'lonely']);
    expect(await gateway.openai.models.retrieve('smart')).toMatchObject({ id: 'smart', owned_by: 'claude' });
    await expect(gateway.openai.models.retrieve('nothing')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  test('a name with a provider passes straight to it', async () => {
    await gateway.openai.chat.completions.create({ model: 'primary/some/other-model', messages });
    expect(gateway.upstream.calls[0]!.model).toBe('some/other-model');
  });

  test('the next target answers when the first is down', async () => {
    const id = requestId();
    const { response } = await gateway.openai.chat.completions
      .create({ model: 'spare', messages }, { headers: { 'x-request-id': id } })
      .withResponse();
    expect(response.headers.get('x-holdfast-provider')).toBe('primary');
    expect((await gateway.rowsOf(id))[0]!.attempts).toMatchObject([
      { provider: 'down', outcome: 'failed', error_code: 'provider_unreachable' },
      { provider: 'primary', outcome: 'completed' },
    ]);
  });

  test('the sandbox answers without any provider', async () => {
    const answer = await gateway.openai.chat.completions.create({ model: 'lab/demo', messages });
    expect(answer.choices[0]!.message.content).toContain('sandbox');
  });
});

describe('errors reach the OpenAI SDK as its own classes', () => {
  test.each([
    ['kind=error&status=400', OpenAI.BadRequestError, 'provider_rejected_request'],
    ['kind=error&status=400&reason=context_length', OpenAI.BadRequestError, 'context_length_exceeded'],
    ['kind=error&status=429', OpenAI.RateLimitError, 'provider_rate_limited'],
    ['kind=error&status=401', OpenAI.InternalServerError, 'provider_auth_failed'],
    ['kind=error&status=500', OpenAI.InternalServerError, 'provider_failed'],
    ['kind=error&status=503', OpenAI.InternalServerError, 'provider_overloaded'],
    ['kind=html', OpenAI.InternalServerError, 'provider_malformed'],
    ['kind=reset', OpenAI.InternalServerError, 'stream_cut'],
    ['kind=error_in_answer', OpenAI.InternalServerError, 'provider_failed'],
  ])('%s', async (behaviour, type, code) => {
    gateway.upstream.script('gpt-4o-mini', () => parse(behaviour));
    const id = requestId();
    const error: unknown = await gateway.openai.chat.completions
      .create({ model: 'fast', messages }, { headers: { 'x-request-id': id } })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ code, requestID: id });
    // Nothing of the server's own secrets, and nothing of its inside.
    expect(JSON.stringify(error)).not.toMatch(/sk-upstream|127\.0\.0\.1|node_modules/);
    expect(await gateway.rowsOf(id)).toMatchObject([{ outcome: 'failed', error_code: code }]);
  });

  test('a model that is not there, a key that is none', async () => {
    await expect(gateway.openai.chat.completions.create({ model: 'nothing', messages })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const stranger = new OpenAI({ baseURL: `${gateway.server.url}/v1`, apiKey: 'sk-not-ours', maxRetries: 0 });
    await expect(stranger.chat.completions.create({ model: 'fast', messages })).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });

  test.each([
    ['cutAfter=6', 'stream_cut'],
    ['cutAfter=6&cutBy=end', 'stream_cut'],
    ['silentAfter=6', 'stream_stalled'],
    ['malformedAfter=6', 'provider_malformed'],
    ['errorAfter=6', 'provider_failed'],
  ])('a stream with %s never ends as a finished answer: the SDK raises', async (behaviour, code) => {
    gateway.upstream.script('gpt-4o-mini', (call) => (call ? parse(`chunks=40&spacingMs=3&${behaviour}`) : {}));
    const id = requestId();
    const stream = await gateway.openai.chat.completions.create(
      { model: 'fast', messages, stream: true },
      { headers: { 'x-request-id': id } },
    );
    let text = '';
    const finished: string[] = [];
    const read = (async () => {
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        if (chunk.choices[0]?.finish_reason) finished.push(chunk.choices[0].finish_reason);
      }
    })();
    await expect(read).rejects.toBeInstanceOf(OpenAI.APIError);
    await expect(read).rejects.toMatchObject({ code });
    expect(text).toContain('word0');
    expect(finished).toEqual([]);
    const [row] = await gateway.rowsOf(id);
    expect(row).toMatchObject({ outcome: 'failed', error_code: code, usage_source: 'estimated' });
    expect(row!.completion_tokens).toBeGreaterThan(0);
  });

  test('a provider that never begins is given up at the first-token limit', async () => {
    gateway.upstream.script('gpt-4o-mini', { firstTokenDelayMs: 60_000, pingEveryMs: 100 });
    await expect(gateway.openai.chat.completions.create({ model: 'fast', messages, stream: true })).rejects.toMatchObject({
      status: 504,
      code: 'first_token_timeout',
    });
    await gateway.upstream.waitFor(([call]) => call?.outcome === 'client_closed');
  });
});

describe('a client that goes away', () => {
  test('stops the provider, and what was used is recorded', async () => {
    gateway.upstream.script('gpt-4o-mini', { chunks: 10_000, spacingMs: 5 });
    const id = requestId();
    const stream = await gateway.openai.chat.completions.create(
      { model: 'fast', messages, stream: true },
      { headers: { 'x-request-id': id } },
    );
    let seen = 0;
    for await (const _chunk of stream) if (++seen === 10) break;
    await gateway.upstream.waitFor(([first]) => first?.outcome === 'client_closed');
    const [row] = await gateway.rowsOf(id);
    // By the client's going and by no limit; that no time has to pass for it is in http/client-gone.test.ts.
    expect(row).toMatchObject({ outcome: 'aborted', error_code: 'client_closed', usage_source: 'estimated', status: 499 });
    expect(row!.completion_tokens).toBeGreaterThan(0);
    expect(row!.prompt_tokens).toBeGreaterThan(0);
  });

  test('also before the first byte', async () => {
    gateway.upstream.script('gpt-4o-mini', { kind: 'silent' });
    const abort = new AbortController();
    const id = requestId();
    const call = gateway.openai.chat.completions.create(
      { model: 'fast', messages },
      { signal: abort.signal, headers: { 'x-request-id': id } },
    );
    const outcome = call.catch((error: unknown) => error);
    await gateway.upstream.waitFor(([first]) => first !== undefined);
    abort.abort();
    expect(await outcome).toBeInstanceOf(OpenAI.APIUserAbortError);
    await gateway.upstream.waitFor(([first]) => first?.outcome === 'client_closed');
    expect(await gateway.rowsOf(id)).toMatchObject([{ outcome: 'aborted' }]);
  });
});

function parse(query: string): Record<string, string | number> {
  return Object.fromEntries([...new URLSearchParams(query)].map(([key, value]) => [key, /^\d+$/.test(value) ? Number(value) : value]));
}
