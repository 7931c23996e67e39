import { sign, type AnswerExample, type FieldExample } from './field-examples.ts';
import type { Body } from './translate.ts';

const user = { role: 'user', content: 'hi' };
const base: Body = { model: 'fast', max_tokens: 5, messages: [user] };
const tool = { name: 'look', input_schema: { type: 'object' } };
const use = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { a: 1 } };
const png = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } };
const pngPart = { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } };

const member = (name: string, value: unknown, more: Partial<FieldExample> = {}): FieldExample => ({
  body: { ...base, [name]: value },
  without: base,
  path: name,
  ...more,
});
const conversation = (messages: unknown[], without: unknown[], more: Partial<FieldExample> = {}): FieldExample => ({
  body: { ...base, messages },
  without: { ...base, messages: without },
  ...more,
});
const block = (value: Body, more: Partial<FieldExample> = {}): FieldExample =>
  conversation([{ role: 'user', content: [{ type: 'text', text: 'hi' }, value] }], [user], more);
const toolPart = (value: Body, arrives?: Body): FieldExample => ({
  body: { ...base, tools: [{ ...tool, ...value }] },
  without: { ...base, tools: [tool] },
  ...(arrives ? { arrives: { tools: [arrives] } } : {}),
});
const called = [user, { role: 'assistant', content: [use] }];
const calledThere = [
  user,
  { role: 'assistant', content: null, tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } }] },
];
const result = (value: Body) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'r', ...value }] });

export const anthropicToOpenaiExamples: Readonly<Record<string, FieldExample>> = {
  model: { body: base, without: {}, arrives: { model: 'the-model' } },
  messages: { body: base, without: { ...base, messages: [] }, arrives: { messages: [user] } },
  system: member(
    'system',
    [
      { type: 'text', text: 'one' },
      { type: 'text', text: 'two' },
    ],
    {
      arrives: {
        messages: [
          {
            role: 'system',
            content: [
              { type: 'text', text: 'one' },
              { type: 'text', text: 'two' },
            ],
          },
          user,
        ],
      },
    },
  ),
  max_tokens: { body: base, without: { model: 'fast', messages: [user] }, arrives: { max_completion_tokens: 5 } },
  temperature: member('temperature', 0.5, { arrives: { temperature: 0.5 } }),
  top_p: member('top_p', 0.5, { arrives: { top_p: 0.5 } }),
  stop_sequences: member('stop_sequences', ['A'], { arrives: { stop: ['A'] } }),
  tools: member('tools', [tool], {
    arrives: { tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }] },
  }),
  tool_choice: {
    body: { ...base, tools: [tool], tool_choice: { type: 'any', disable_parallel_tool_use: true } },
    without: { ...base, tools: [tool] },
    arrives: { tool_choice: 'required', parallel_tool_calls: false },
  },
  thinking: member('thinking', { type: 'enabled', budget_tokens: 5000 }, { arrives: { reasoning_effort: 'medium' } }),
  output_config: member(
    'output_config',
    { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
    {
      arrives: {
        reasoning_effort: 'low',
        response_format: { type: 'json_schema', json_schema: { name: 'response', schema: { type: 'object' }, strict: true } },
      },
    },
  ),
  metadata: member('metadata', { user_id: 'u' }, { arrives: { user: 'u' } }),
  service_tier: member('service_tier', 'standard_only', { arrives: { service_tier: 'default' } }),
  cache_control: member('cache_control', { type: 'ephemeral' }),
  diagnostics: member('diagnostics', { previous_message_id: 'x' }),
  top_k: member('top_k', 4),
  container: member('container', 'c'),
  mcp_servers: member('mcp_servers', [{ url: 'https://x' }]),
  context_management: member('context_management', { edits: [] }),
  inference_geo: member('inference_geo', 'eu'),
  speed: member('speed', 'fast'),
  'messages[].role: system': conversation([user, { role: 'system', content: 'now' }, user], [user, user], {
    arrives: { messages: [user, { role: 'system', content: 'now' }, user] },
  }),
  'messages[-1].role: assistant': conversation([user, { role: 'assistant', content: '{' }], [user], { path: 'messages[1]' }),
  'messages[].content[].cache_control': {
    body: {
      ...base,
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }],
      tools: [{ ...tool, cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral', ttl: '1h' } }] }],
    },
    without: { ...base, system: 's', tools: [tool] },
  },
  'messages[].content[].tool_use': conversation([...called, result({})], [user, result({})], {
    arrives: { messages: [...calledThere, { role: 'tool', tool_call_id: 'toolu_1', content: 'r' }] },
  }),
  'messages[].content[].tool_result': conversation(
    [...called, { role: 'user', content: [...result({}).content, { type: 'text', text: 'so?' }] }],
    [...called, user],
    {
      arrives: { messages: [...calledThere, { role: 'tool', tool_call_id: 'toolu_1', content: 'r' }, { role: 'user', content: 'so?' }] },
    },
  ),
  'messages[].content[].tool_result.is_error': conversation([...called, result({ is_error: true })], [...called, result({})], {
    arrives: { messages: [...calledThere, { role: 'tool', tool_call_id: 'toolu_1', content: 'Error: r' }] },
  }),
  'messages[].content[].tool_result: image, document': conversation(
    [...called, result({ content: [{ type: 'text', text: 'r' }, png] })],
    [...called, result({})],
    {
      arrives: {
        messages: [
          ...calledThere,
          { role: 'tool', tool_call_id: 'toolu_1', content: 'r' },
          { role: 'user', content: [{ type: 'text', text: 'Returned by the tool call toolu_1:' }, pngPart] },
        ],
      },
    },
  ),
  'messages[].content[].image': block(png, { arrives: { messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }, pngPart] }] } }),
  'messages[].content[].image.transformations': {
    body: { ...base, messages: [{ role: 'user', content: [{ ...png, transformations: { oversized_image: 'downsize' } }] }] },
    without: { ...base, messages: [{ role: 'user', content: [png] }] },
  },
  'messages[].content[].document': block(
    { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' } },
    {
      arrives: {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'hi' },
              { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
            ],
          },
        ],
      },
    },
  ),
  'messages[].content[].document.citations': block(
    { type: 'document', citations: { enabled: true }, source: { type: 'text', media_type: 'text/plain', data: 'x' } },
    { path: 'messages[0].content[1].citations' },
  ),
  'messages[].content[].search_result': block(
    { type: 'search_result', source: 's', title: 't', content: [] },
    { path: 'messages[0].content[1].type' },
  ),
  'messages[].content[].thinking': conversation(
    [
      user,
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'redacted_thinking', data: 'x' },
          { type: 'text', text: 'yes' },
        ],
      },
      user,
    ],
    [user, { role: 'assistant', content: 'yes' }, user],
  ),
  'messages[].content[].text.citations': conversation(
    [user, { role: 'assistant', content: [{ type: 'text', text: 'yes', citations: [{ type: 'char_location' }] }] }, user],
    [user, { role: 'assistant', content: 'yes' }, user],
  ),
  'messages[].content[].server_tool_use': conversation(
    [user, { role: 'assistant', content: [{ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }] }, user],
    [user, user],
    { path: 'messages[1].content[0].type' },
  ),
  'tools[].strict': toolPart({ strict: true }, { function: { strict: true } }),
  'tools[].name': toolPart({ name: 'see' }, { function: { name: 'see' } }),
  'tools[].input_examples': toolPart({
    input_examples: [{}],
    eager_input_streaming: true,
    defer_loading: true,
    allowed_callers: ['direct'],
  }),
};

export const provenByStreams: readonly string[] = ['stream'];

const completion = (message: Body, choice: Body = {}, more: Body = {}): Body => ({
  id: 'chatcmpl-1',
  model: 'gpt',
  choices: [{ index: 0, message: { role: 'assistant', content: 'yes', ...message }, finish_reason: 'stop', ...choice }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  ...more,
});

export const anthropicToOpenaiAnswers: Readonly<Record<string, AnswerExample>> = {
  id: { answer: completion({}), arrives: { id: 'msg_chatcmpl-1' } },
  'choices[0].message.content': { answer: completion({}), arrives: { content: [{ type: 'text', text: 'yes' }], stop_reason: 'end_turn' } },
  'choices[0].message.refusal': {
    answer: completion({ content: null, refusal: 'no' }),
    arrives: { content: [{ type: 'text', text: 'no' }], stop_reason: 'refusal', stop_details: { type: 'refusal', explanation: 'no' } },
  },
  'choices[0].message.tool_calls[]': {
    answer: completion({ content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'look', arguments: '{"a":1}' } }] }),
    arrives: { content: [{ type: 'tool_use', id: 'c', name: 'look', input: { a: 1 } }], stop_reason: 'tool_use' },
  },
  'choices[0].message.reasoning_content': { answer: completion({ reasoning_content: sign }) },
  'choices[0].finish_reason': { answer: completion({}, { finish_reason: 'length' }), arrives: { stop_reason: 'max_tokens' } },
  usage: {
    answer: completion(
      {},
      {},
      { usage: { prompt_tokens: 111, completion_tokens: 7, total_tokens: 118, prompt_tokens_details: { cached_tokens: 11 } } },
    ),
    arrives: { usage: { input_tokens: 100, cache_read_input_tokens: 11, output_tokens: 7 } },
  },
  'choices[0].message.annotations': { answer: completion({ annotations: [{ type: 'url_citation', url_citation: { url: sign } }] }) },
};
