import { sign, type AnswerExample, type FieldExample } from './field-examples.ts';
import type { Body } from './translate.ts';

const user = { role: 'user', content: 'hi' };
const base: Body = { model: 'fast', messages: [user] };
const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } };
const png = 'data:image/png;base64,aGk=';

const member = (name: string, value: unknown, more: Partial<FieldExample> = {}): FieldExample => ({
  body: { ...base, [name]: value },
  without: base,
  path: name,
  ...more,
});
const toolMember = (name: string, value: unknown, arrives: Body): FieldExample => ({
  body: { ...base, tools, [name]: value },
  without: { ...base, tools },
  arrives,
});
const conversation = (messages: unknown[], without: unknown[], more: Partial<FieldExample> = {}): FieldExample => ({
  body: { ...base, messages },
  without: { ...base, messages: without },
  ...more,
});
const part = (value: Body, more: Partial<FieldExample> = {}): FieldExample =>
  conversation([{ role: 'user', content: [{ type: 'text', text: 'hi' }, value] }], [user], more);
const onText = (value: Body, more: Partial<FieldExample> = {}): FieldExample =>
  conversation([{ role: 'user', content: [{ type: 'text', text: 'hi', ...value }] }], [user], more);
const said = (value: Body, more: Partial<FieldExample> = {}): FieldExample =>
  conversation([user, { role: 'assistant', content: 'yes', ...value }, user], [user, { role: 'assistant', content: 'yes' }, user], more);

export const openaiToAnthropicExamples: Readonly<Record<string, FieldExample>> = {
  // `model` is the target's name, whatever the client called it.
  model: { body: base, without: {}, arrives: { model: 'the-model' } },
  messages: { body: base, without: { ...base, messages: [] }, arrives: { messages: [user] } },
  max_completion_tokens: member('max_completion_tokens', 77, { arrives: { max_tokens: 77 } }),
  max_tokens: member('max_tokens', 78, { arrives: { max_tokens: 78 } }),
  temperature: member('temperature', 0.5, { arrives: { temperature: 0.5 } }),
  top_p: member('top_p', 0.5, { arrives: { top_p: 0.5 } }),
  top_k: member('top_k', 5, { arrives: { top_k: 5 } }),
  stop: member('stop', ['A', 'B'], { arrives: { stop_sequences: ['A', 'B'] } }),
  tools: member('tools', tools, { arrives: { tools: [{ name: 'look', input_schema: { type: 'object' } }] } }),
  tool_choice: toolMember('tool_choice', 'required', { tool_choice: { type: 'any' } }),
  parallel_tool_calls: toolMember('parallel_tool_calls', false, { tool_choice: { type: 'auto', disable_parallel_tool_use: true } }),
  response_format: member(
    'response_format',
    { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
    { arrives: { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } } },
  ),
  reasoning_effort: member('reasoning_effort', 'high', { arrives: { output_config: { effort: 'high' } } }),
  thinking: member(
    'thinking',
    { type: 'enabled', budget_tokens: 2000 },
    { arrives: { thinking: { type: 'enabled', budget_tokens: 2000 }, max_tokens: 6096 } },
  ),
  safety_identifier: member('safety_identifier', 'u1', { arrives: { metadata: { user_id: 'u1' } } }),
  user: member('user', 'u2', { arrives: { metadata: { user_id: 'u2' } } }),
  service_tier: member('service_tier', 'default', { arrives: { service_tier: 'standard_only' } }),
  seed: member('seed', 7),
  verbosity: member('verbosity', 'low'),
  prediction: member('prediction', { type: 'content', content: 'x' }),
  metadata: member('metadata', { a: 'b' }),
  store: member('store', true),
  prompt_cache_key: member('prompt_cache_key', 'k'),
  prompt_cache_options: member('prompt_cache_options', { mode: 'explicit' }),
  prompt_cache_retention: member('prompt_cache_retention', '24h'),
  n: member('n', 2),
  logprobs: member('logprobs', true),
  top_logprobs: member('top_logprobs', 3),
  logit_bias: member('logit_bias', { 50256: -100 }),
  frequency_penalty: member('frequency_penalty', 0.1),
  presence_penalty: member('presence_penalty', -0.1),
  modalities: member('modalities', ['text', 'audio']),
  audio: member('audio', { voice: 'alloy', format: 'wav' }),
  functions: member('functions', [{ name: 'look' }]),
  function_call: member('function_call', 'auto'),
  web_search_options: member('web_search_options', {}),
  moderation: member('moderation', { model: 'm' }),
  'messages[].role: system, developer': conversation(
    [{ role: 'system', content: 'one' }, user, { role: 'developer', content: 'two' }],
    [user],
    {
      arrives: {
        system: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
        messages: [user],
      },
    },
  ),
  'messages[].role: tool': conversation(
    [
      user,
      { role: 'assistant', tool_calls: [call, { ...call, id: 'call_2' }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'r1' },
      { role: 'tool', tool_call_id: 'call_2', content: 'r2' },
      user,
    ],
    [user],
    {
      arrives: {
        messages: [
          user,
          {
            role: 'assistant',
            content: [
              { type: 'tool_use', id: 'call_1', name: 'look', input: { a: 1 } },
              { type: 'tool_use', id: 'call_2', name: 'look', input: { a: 1 } },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'call_1', content: 'r1' },
              { type: 'tool_result', tool_use_id: 'call_2', content: 'r2' },
              { type: 'text', text: 'hi' },
            ],
          },
        ],
      },
    },
  ),
  'messages[].role: function': conversation([user, { role: 'function', name: 'look', content: 'x' }], [user], { path: 'messages[1].role' }),
  'messages[-1].role: assistant': conversation([user, { role: 'assistant', content: '{' }], [user], { path: 'messages[1]' }),
  'messages[].content: empty': conversation([user, { role: 'assistant', content: '' }, { role: 'user', content: ' \n' }], [user]),
  'messages[].name': conversation([{ ...user, name: 'ann' }], [user]),
  'messages[].refusal': conversation([user, { role: 'assistant', content: null, refusal: 'no' }, user], [user, user], {
    arrives: { messages: [user, { role: 'assistant', content: 'no' }, user] },
  }),
  'messages[].reasoning_content': said({ reasoning_content: 'hm' }),
  'messages[].annotations': said({ annotations: [{ type: 'url_citation' }] }),
  'messages[].audio': said({ audio: { id: 'a' } }, { path: 'messages[1].audio' }),
  'messages[].function_call': said({ function_call: { name: 'look', arguments: '{}' } }, { path: 'messages[1].function_call' }),
  'messages[].tool_calls[]': said(
    { tool_calls: [call] },
    {
      arrives: {
        messages: [
          user,
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'yes' },
              { type: 'tool_use', id: 'call_1', name: 'look', input: { a: 1 } },
            ],
          },
          user,
        ],
      },
    },
  ),
  'messages[].tool_calls[].custom': said(
    { tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'x', input: 'y' } }] },
    { path: 'messages[1].tool_calls[0].type' },
  ),
  'messages[].content[].image_url': part(
    { type: 'image_url', image_url: { url: png } },
    {
      arrives: {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'hi' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
            ],
          },
        ],
      },
    },
  ),
  'messages[].content[].image_url.detail': conversation(
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: png, detail: 'low' } }] }],
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: png } }] }],
  ),
  'messages[].content[].file': part(
    { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
    {
      arrives: {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'hi' },
              { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' } },
            ],
          },
        ],
      },
    },
  ),
  'messages[].content[].input_audio': part(
    { type: 'input_audio', input_audio: { data: 'aGk=', format: 'wav' } },
    { path: 'messages[0].content[1].type' },
  ),
  'messages[].content[].cache_control': onText(
    { cache_control: { type: 'ephemeral' } },
    { arrives: { messages: [{ role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }] }] } },
  ),
  'messages[].content[].prompt_cache_breakpoint': onText({ prompt_cache_breakpoint: { mode: 'explicit' } }),
  'tools[].function.strict': {
    body: { ...base, tools: [{ type: 'function', function: { name: 'look', strict: true } }] },
    without: { ...base, tools: [{ type: 'function', function: { name: 'look' } }] },
    arrives: { tools: [{ name: 'look', strict: true }] },
  },
  'tools[].function.parameters': {
    body: { ...base, tools: [{ type: 'function', function: { name: 'look', parameters: { properties: { a: {} } } } }] },
    without: { ...base, tools: [{ type: 'function', function: { name: 'look' } }] },
    arrives: { tools: [{ name: 'look', input_schema: { type: 'object', properties: { a: {} } } }] },
  },
};

/** These two say how the answer is to be given, and are proven with the streams. */
export const provenByStreams: readonly string[] = ['stream', 'stream_options'];

const answer: Body = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'yes' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 2 },
};
const message = (value: Body): Body => ({ choices: [{ message: value }] });
const content = (...blocks: Body[]): Body => ({ ...answer, content: blocks });

export const openaiToAnthropicAnswers: Readonly<Record<string, AnswerExample>> = {
  id: { answer, arrives: { id: 'chatcmpl-msg_1' } },
  'content[].text': { answer: content({ type: 'text', text: 'a' }, { type: 'text', text: 'b' }), arrives: message({ content: 'ab' }) },
  'content[].thinking': {
    answer: content({ type: 'thinking', thinking: 'hm', signature: 's' }),
    arrives: message({ content: null, reasoning_content: 'hm' }),
  },
  'content[].signature': { answer: content({ type: 'thinking', thinking: 'hm', signature: sign }) },
  'content[].redacted_thinking': { answer: content({ type: 'redacted_thinking', data: sign }) },
  'content[].citations': { answer: content({ type: 'text', text: 'a', citations: [{ type: 'char_location', cited_text: sign }] }) },
  'content[].tool_use': {
    answer: content({ type: 'tool_use', id: 't1', name: 'look', input: { a: 1 } }),
    arrives: message({ content: null, tool_calls: [{ id: 't1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } }] }),
  },
  stop_reason: { answer: { ...answer, stop_reason: 'max_tokens' }, arrives: { choices: [{ finish_reason: 'length' }] } },
  'stop_details.explanation': {
    answer: { ...answer, stop_reason: 'refusal', stop_details: { type: 'refusal', explanation: 'no' } },
    arrives: message({ refusal: 'no' }),
  },
  stop_sequence: { answer: { ...answer, stop_reason: 'stop_sequence', stop_sequence: sign } },
  usage: {
    answer: { ...answer, usage: { input_tokens: 1, cache_read_input_tokens: 10, cache_creation_input_tokens: 100, output_tokens: 7 } },
    arrives: {
      usage: {
        prompt_tokens: 111,
        completion_tokens: 7,
        total_tokens: 118,
        prompt_tokens_details: { cached_tokens: 10, cache_write_tokens: 100 },
      },
    },
  },
};
