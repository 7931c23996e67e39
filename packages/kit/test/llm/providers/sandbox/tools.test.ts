import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { setUp, ask, sdkOn } from './attempts.ts';

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
