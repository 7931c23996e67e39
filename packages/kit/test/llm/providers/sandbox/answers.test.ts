import { Ajv2020 } from 'ajv/dist/2020.js';
import type { HoldfastError } from '../../../../src/errors/index.ts';
import { describe, expect, test } from 'vitest';
import { messages, start, setUp, ask, failureOf } from './attempts.ts';

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
