import { describe, expect, test } from 'vitest';
import { fieldsOf, refusal, translateRequest, type Body } from './translate.ts';

// Fields that are carried or refused by what they say; what becomes of each field as such is in the tables.

const user = { role: 'user', content: 'hi' };

describe('a client of OpenAI', () => {
  const base: Body = { model: 'm', messages: [user] };
  const tool = (name: string): Body => ({ type: 'function', function: { name } });
  const shown = (part: unknown): Body => ({ messages: [{ role: 'user', content: [part] }] });
  const image = (url: string): Body => shown({ type: 'image_url', image_url: { url } });
  const file = (value: unknown): Body => shown({ type: 'file', file: value });
  const tools = [tool('a'), tool('b')];
  const offered = (name: string): Body => ({ name, input_schema: { type: 'object', properties: {} } });
  const called = (call: unknown): Body => ({
    messages: [user, { role: 'assistant', tool_calls: [call] }, { role: 'tool', tool_call_id: 'c', content: '' }],
  });

  test.each<[Body, string]>([
    [{ temperature: 1.01 }, 'temperature'],
    [{ stop: '\n' }, 'stop'],
    [{ stop: ['x', ' '] }, 'stop[1]'],
    [{ reasoning_effort: 'titanic' }, 'reasoning_effort'],
    [{ response_format: { type: 'json_object' } }, 'response_format.type'],
    [{ response_format: { type: 'json_schema', json_schema: { name: 'x' } } }, 'response_format.json_schema.schema'],
    [{ service_tier: 'flex' }, 'service_tier'],
    [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0].type'],
    [{ tools, tool_choice: { type: 'custom', custom: { name: 'x' } } }, 'tool_choice'],
    [
      { tools, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'custom' }] } } },
      'tool_choice.allowed_tools.tools',
    ],
    [image('data:image/svg+xml;base64,aGk='), 'messages[0].content[0].image_url.url'],
    [image('data:image/png,plain'), 'messages[0].content[0].image_url.url'],
    [file({ file_id: 'file-1' }), 'messages[0].content[0].file.file_id'],
    [file({ file_data: 'data:text/csv;base64,aGk=' }), 'messages[0].content[0].file.file_data'],
    [file(undefined), 'messages[0].content[0].file'],
    [called({ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":' } }), 'messages[1].tool_calls[0].function.arguments'],
    [{ messages: [user, { role: 'assistant', content: 'a' }, { role: 'system', content: 's' }] }, 'messages[1]'],
  ])('is refused %j', async (members, path) => {
    const error = await refusal('openai', { ...base, ...members });
    expect([error.code, fieldsOf(error)]).toEqual(['dialect_unsupported', [path]]);
  });

  test.each<[Body, string]>([
    [{ messages: 'hi' }, 'messages'],
    [image(''), 'messages[0].content[0].image_url.url'],
    [shown(5), 'messages[0].content[0]'],
    [shown({ type: 'text' }), 'messages[0].content[0].text'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].function.name'],
    [{ thinking: true }, 'thinking'],
    [{ messages: [user, { role: 'assistant', content: 'a', tool_calls: 'x' }, user] }, 'messages[1].tool_calls'],
    [{ messages: [user, { role: 'assistant', content: 'a', tool_calls: [{ id: 'c' }] }, user] }, 'messages[1].tool_calls[0]'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  ])('is told that %j is wrong', async (members, path) => {
    const error = await refusal('openai', { ...base, ...members });
    expect([error.code, fieldsOf(error)]).toEqual(['invalid_request', [path]]);
  });

  test.each<[Body, Body]>([
    [{ tools, tool_choice: 'none' }, { tool_choice: { type: 'none' } }],
    [{ tools, tool_choice: 'auto' }, { tool_choice: { type: 'auto' } }],
    [
      { tools, tool_choice: tool('a') },
      { tool_choice: { type: 'tool', name: 'a' }, tools: [offered('a'), offered('b')] },
    ],
    [{ tools, tool_choice: 'required', parallel_tool_calls: false }, { tool_choice: { type: 'any', disable_parallel_tool_use: true } }],
    [{ tools, tool_choice: 'none', parallel_tool_calls: false }, { tool_choice: { type: 'none' } }],
    [
      { tools, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('b')] } } },
      { tool_choice: { type: 'any' }, tools: [offered('b')] },
    ],
    [{ reasoning_effort: 'minimal' }, { output_config: { effort: 'low' } }],
    [{ reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
    [
      { reasoning_effort: 'xhigh', thinking: { type: 'adaptive' } },
      { output_config: { effort: 'xhigh' }, thinking: { type: 'adaptive' } },
    ],
    [{ safety_identifier: 's', user: 'u' }, { metadata: { user_id: 's' } }],
    [{ max_tokens: 5, max_completion_tokens: 6 }, { max_tokens: 6 }],
    [{ service_tier: 'auto' }, { service_tier: 'auto' }],
    [{ stop: 'END' }, { stop_sequences: ['END'] }],
    [
      image('https://example.org/a.png'),
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } }] }] },
    ],
    [
      image('data:image/jpg;base64,aGk='),
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'aGk=' } }] }] },
    ],
    [
      { messages: [user, { role: 'user', content: 'and' }] },
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'hi' },
              { type: 'text', text: 'and' },
            ],
          },
        ],
      },
    ],
    [{ messages: [{ role: 'system', content: [{ type: 'text', text: 's' }] }, user] }, { system: 's' }],
    [
      {
        messages: [
          user,
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'a' },
              { type: 'refusal', refusal: 'b' },
            ],
          },
          user,
        ],
      },
      {
        messages: [
          user,
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
          user,
        ],
      },
    ],
  ])('may say %j', async (members, arrives) => {
    expect(await translateRequest('openai', { ...base, ...members })).toMatchObject(arrives);
  });

  test.each<Body>([
    { tools: [] },
    { tool_choice: 'none' },
    { tool_choice: 'auto', parallel_tool_calls: false },
    { stop: [] },
    { stop: '' },
    { response_format: { type: 'text' } },
  ])('asks for nothing with %j', async (members) => {
    expect(await translateRequest('openai', { ...base, ...members })).toEqual(await translateRequest('openai', base));
  });
});

describe('a client of Anthropic', () => {
  const base: Body = { model: 'm', max_tokens: 5, messages: [user] };
  const shown = (block: unknown): Body => ({ messages: [{ role: 'user', content: [block] }] });
  const said = (...content: unknown[]): Body => ({ messages: [{ role: 'user', content }] });
  const tools = [{ name: 'a', input_schema: { type: 'object' } }];
  const result = (value: Body): Body => shown({ type: 'tool_result', tool_use_id: 't', ...value });
  const png = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } };

  test.each<[Body, string]>([
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ stop_sequences: ['a', 'b', 'c', 'd', 'e'] }, 'stop_sequences'],
    [{ service_tier: 'premium' }, 'service_tier'],
    [{ thinking: { type: 'telepathy' } }, 'thinking.type'],
    [{ output_config: { effort: 'titanic' } }, 'output_config.effort'],
    [{ output_config: { format: { type: 'grammar' } } }, 'output_config.format'],
    [{ output_config: { task_budget: 5 } }, 'output_config.task_budget'],
    [{ tools: [{ type: 'web_search_20260318', name: 'web_search' }] }, 'tools[0].type'],
    [{ tools: [{ name: 'x'.repeat(65), input_schema: {} }] }, 'tools[0].name'],
    [{ tools, tool_choice: { type: 'telepathy' } }, 'tool_choice.type'],
    [{ system: [png] }, 'system[0].type'],
    [{ messages: [{ role: 'critic', content: 'x' }] }, 'messages[0].role'],
    [shown({ type: 'image', source: { type: 'file', file_id: 'f' } }), 'messages[0].content[0].source.type'],
    [shown({ type: 'document', source: { type: 'url', url: 'https://x' } }), 'messages[0].content[0].source.type'],
    [result({ content: [{ type: 'tool_reference', tool_name: 'x' }] }), 'messages[0].content[0].content[0].type'],
  ])('is refused %j', async (members, path) => {
    const error = await refusal('anthropic', { ...base, ...members });
    expect([error.code, fieldsOf(error)]).toEqual(['dialect_unsupported', [path]]);
  });

  test.each<[Body, string]>([
    [{ messages: {} }, 'messages'],
    [{ tools: 'x' }, 'tools'],
    [shown(5), 'messages[0].content[0]'],
    [shown({ type: 'text' }), 'messages[0].content[0].text'],
    [shown({ type: 'tool_result' }), 'messages[0].content[0].tool_use_id'],
    [result({ content: 5 }), 'messages[0].content[0].content'],
    [{ messages: [user, { role: 'assistant', content: [5] }, user] }, 'messages[1].content[0]'],
    [{ messages: [user, { role: 'assistant', content: [{ type: 'tool_use' }] }, user] }, 'messages[1].content[0]'],
  ])('is told that %j is wrong', async (members, path) => {
    const error = await refusal('anthropic', { ...base, ...members });
    expect([error.code, fieldsOf(error)]).toEqual(['invalid_request', [path]]);
  });

  test.each<[Body, Body]>([
    [{ tools, tool_choice: { type: 'auto' } }, { tool_choice: 'auto' }],
    [{ tools, tool_choice: { type: 'none' } }, { tool_choice: 'none' }],
    [{ tools, tool_choice: { type: 'tool', name: 'a' } }, { tool_choice: { type: 'function', function: { name: 'a' } } }],
    [
      { tools: [{ ...tools[0], type: 'custom', description: 'd' }] },
      { tools: [{ type: 'function', function: { name: 'a', description: 'd', parameters: { type: 'object' } } }] },
    ],
    [{ thinking: { type: 'enabled', budget_tokens: 4096 } }, { reasoning_effort: 'low' }],
    [{ thinking: { type: 'enabled', budget_tokens: 16_385 } }, { reasoning_effort: 'high' }],
    [{ thinking: { type: 'enabled', budget_tokens: 2000 }, output_config: { effort: 'max' } }, { reasoning_effort: 'max' }],
    [{ service_tier: 'auto' }, { service_tier: 'auto' }],
    [{ metadata: { user_id: 'u'.repeat(100) } }, { user: expect.stringMatching(/^[0-9a-f]{64}$/) as string }],
    [{ system: 's' }, { messages: [{ role: 'system', content: 's' }, user] }],
    [
      shown({ type: 'image', source: { type: 'url', url: 'https://x/a.png' } }),
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/a.png' } }] }] },
    ],
    [
      shown({ type: 'document', title: 'T', context: 'C', source: { type: 'text', media_type: 'text/plain', data: 'D' } }),
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'T\nC' },
              { type: 'text', text: 'D' },
            ],
          },
        ],
      },
    ],
    [shown({ type: 'document', source: { type: 'content', content: 'D' } }), { messages: [{ role: 'user', content: 'D' }] }],
    [
      shown({ type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'D' }, png] } }),
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'D' }, { type: 'image_url' }] }] },
    ],
    [result({}), { messages: [{ role: 'tool', tool_call_id: 't', content: '' }] }],
    [result({ is_error: true }), { messages: [{ role: 'tool', content: 'Error: the tool failed.' }] }],
    [result({ is_error: true, content: 'error: no such file' }), { messages: [{ role: 'tool', content: 'error: no such file' }] }],
    [
      result({
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      }),
      {
        messages: [
          {
            role: 'tool',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
        ],
      },
    ],
    [
      result({ content: [png] }),
      {
        messages: [
          { role: 'tool', content: 'See the next message of the user.' },
          { role: 'user', content: [{ type: 'text', text: 'Returned by the tool call t:' }, { type: 'image_url' }] },
        ],
      },
    ],
    [
      said(
        { type: 'tool_result', tool_use_id: 't', content: 'a' },
        { type: 'tool_result', tool_use_id: 'u', content: 'b' },
        { type: 'text', text: 'so?' },
      ),
      {
        messages: [
          { role: 'tool', tool_call_id: 't', content: 'a' },
          { role: 'tool', tool_call_id: 'u', content: 'b' },
          { role: 'user', content: 'so?' },
        ],
      },
    ],
  ])('may say %j', async (members, arrives) => {
    expect(await translateRequest('anthropic', { ...base, ...members })).toMatchObject(arrives);
  });

  test.each<Body>([
    { thinking: { type: 'disabled' } },
    { thinking: { type: 'adaptive', display: 'omitted' } },
    { thinking: { type: 'between_tools' } },
    { tools: [] },
    { tool_choice: { type: 'none' } },
    { stop_sequences: [] },
    { metadata: {} },
    { output_config: {} },
    { system: '' },
  ])('asks for nothing with %j', async (members) => {
    expect(await translateRequest('anthropic', { ...base, ...members })).toEqual(await translateRequest('anthropic', base));
  });
});
