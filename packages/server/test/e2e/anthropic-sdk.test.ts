import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { requestId, startGateway, type Gateway } from './fixture.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterEach(() => gateway.upstream.reset());
afterAll(() => gateway.stop());

const question = { max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hello' }] };
const weather: Anthropic.Tool = { name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } };

describe('the official Anthropic SDK', () => {
  test('gets an answer, and it is in the ledger', async () => {
    gateway.upstream.script('claude-sonnet-4-5', { text: 'Hello yourself', promptTokens: 9, completionTokens: 4 });
    const id = requestId();
    const { data, response } = await gateway.anthropic.messages
      .create({ model: 'smart', ...question, metadata: { user_id: 'customer-7' } }, { headers: { 'x-request-id': id } })
      .withResponse();
    expect(data.content).toMatchObject([{ type: 'text', text: 'Hello yourself' }]);
    expect(response.headers.get('request-id')).toBe(id);
    expect(response.headers.get('x-holdfast-provider')).toBe('claude');
    expect(await gateway.rowsOf(id)).toMatchObject([
      {
        dialect: 'anthropic',
        model_asked: 'smart',
        provider: 'claude',
        completion_tokens: 4,
        outcome: 'completed',
        end_user: 'customer-7',
        finish_reason: 'end_turn',
      },
    ]);
  });

  test('streams, and the end is held back until the row is in the ledger', async () => {
    gateway.upstream.script('claude-sonnet-4-5', { chunks: 10, spacingMs: 2 });
    const id = requestId();
    const stream = await gateway.anthropic.messages.create(
      { model: 'smart', ...question, stream: true },
      { headers: { 'x-request-id': id } },
    );
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === 'message_delta') expect(await gateway.rowsOf(id)).toMatchObject([{ outcome: 'completed', streamed: true }]);
    }
    expect(types[0]).toBe('message_start');
    expect(types.at(-1)).toBe('message_stop');
  });

  test('calls tools, streamed and not, on either kind of provider', async () => {
    gateway.upstream.script('claude-sonnet-4-5', { tool: 'get_weather', toolArguments: '{"city":"Graz"}' });
    gateway.upstream.script('gpt-4o-mini', { tool: 'get_weather', toolArguments: '{"city":"Graz"}' });
    for (const model of ['smart', 'fast']) {
      const plain = await gateway.anthropic.messages.create({ model, ...question, tools: [weather] });
      expect(plain.content.find((block) => block.type === 'tool_use')).toMatchObject({ name: 'get_weather', input: { city: 'Graz' } });
      expect(plain.stop_reason).toBe('tool_use');
      const final = await gateway.anthropic.messages.stream({ model, ...question, tools: [weather] }).finalMessage();
      expect(final.content.find((block) => block.type === 'tool_use')).toMatchObject({ name: 'get_weather', input: { city: 'Graz' } });
    }
  });

  test('reaches a provider of the other dialect, streamed and not', async () => {
    gateway.upstream.script('gpt-4o-mini', { text: 'Bonjour', completionTokens: 3 });
    const plain = await gateway.anthropic.messages.create({ model: 'fast', ...question });
    expect(plain).toMatchObject({ content: [{ type: 'text', text: 'Bonjour' }], stop_reason: 'end_turn', usage: { output_tokens: 3 } });
    const final = await gateway.anthropic.messages.stream({ model: 'fast', ...question }).finalMessage();
    expect(final.content).toMatchObject([{ type: 'text', text: 'Bonjour' }]);
    expect(gateway.upstream.calls.every((call) => call.path === '/v1/chat/completions')).toBe(true);
  });

  test('counts tokens where the provider can', async () => {
    const { messages } = question;
    expect((await gateway.anthropic.messages.countTokens({ model: 'smart', messages })).input_tokens).toBeGreaterThan(0);
    await expect(gateway.anthropic.messages.countTokens({ model: 'fast', messages })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });

  test('lists models', async () => {
    const names: string[] = [];
    for await (const model of gateway.anthropic.models.list()) names.push(model.id);
    expect(names).toContain('smart');
  });

  test('its beta headers and unknown fields reach the provider as they are', async () => {
    const body = { model: 'claude/claude-x', ...question, thinking: { type: 'enabled', budget_tokens: 50 }, new_field: [1, { a: null }] };
    await gateway.fetch('/v1/messages', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'anthropic-beta': 'thing-2', 'anthropic-version': '2023-06-01' },
    });
    const [call] = gateway.upstream.calls;
    expect(call!.body.toString()).toBe(JSON.stringify({ ...body, model: 'claude-x' }));
    expect(call!.headers).toMatchObject({ 'anthropic-beta': 'thing-2', 'x-api-key': 'sk-ant-upstream-secret' });
    expect(call!.headers.authorization).toBeUndefined();
  });
});

describe('errors reach the Anthropic SDK as its own classes', () => {
  test.each([
    [{ kind: 'error', status: 400 }, Anthropic.BadRequestError, 'invalid_request_error'],
    [{ kind: 'error', status: 429 }, Anthropic.RateLimitError, 'rate_limit_error'],
    [{ kind: 'error', status: 401 }, Anthropic.InternalServerError, 'api_error'],
    [{ kind: 'error', status: 500 }, Anthropic.InternalServerError, 'api_error'],
    [{ kind: 'error', status: 529 }, Anthropic.InternalServerError, 'overloaded_error'],
    [{ kind: 'html' }, Anthropic.InternalServerError, 'api_error'],
  ] as const)('%j', async (behaviour, type, kind) => {
    gateway.upstream.script('claude-sonnet-4-5', behaviour);
    const id = requestId();
    const error: unknown = await gateway.anthropic.messages
      .create({ model: 'smart', ...question }, { headers: { 'x-request-id': id } })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ requestID: id, error: { type: 'error', error: { type: kind } } });
    expect(JSON.stringify(error)).not.toMatch(/sk-ant-upstream|127\.0\.0\.1|node_modules/);
  });

  test('a key that is none', async () => {
    const stranger = new Anthropic({ baseURL: gateway.server.url, apiKey: 'sk-not-ours', maxRetries: 0 });
    await expect(stranger.messages.create({ model: 'smart', ...question })).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });

  test.each([
    ['smart', 'claude-sonnet-4-5', { cutAfter: 6 }],
    ['smart', 'claude-sonnet-4-5', { silentAfter: 6 }],
    ['smart', 'claude-sonnet-4-5', { errorAfter: 6 }],
    ['smart', 'claude-sonnet-4-5', { endMark: false, finish: 'x', cutAfter: 8 }],
    ['fast', 'gpt-4o-mini', { cutAfter: 6 }],
    ['fast', 'gpt-4o-mini', { silentAfter: 6 }],
  ] as const)('a stream of %s (%s) with %j never ends as a finished answer: the SDK raises', async (model, upstreamModel, fault) => {
    gateway.upstream.script(upstreamModel, { chunks: 40, spacingMs: 3, ...fault });
    const types: string[] = [];
    const read = (async () => {
      for await (const event of await gateway.anthropic.messages.create({ model, ...question, stream: true })) types.push(event.type);
    })();
    await expect(read).rejects.toBeInstanceOf(Anthropic.APIError);
    expect(types).toContain('content_block_delta');
    expect(types).not.toContain('message_delta');
    expect(types).not.toContain('message_stop');
  });
});
