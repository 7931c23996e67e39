import { expect, onTestFinished, test } from 'vitest';
import { withDialects } from '../../../src/llm/dialects/index.ts';
import { fixture, replayProvider, type ReplayProvider } from './replay.ts';
import { serveSdks } from './sdk-server.ts';

const tools = [
  {
    type: 'function' as const,
    function: { name: 'get_weather', parameters: { type: 'object', properties: { location: { type: 'string' } } } },
  },
];
const messages = [{ role: 'user' as const, content: 'hello' }];

async function client(answer: string, cutEvery?: number) {
  const inner = replayProvider({
    dialect: 'anthropic',
    answer,
    ...(cutEvery
      ? {
          cut: (bytes: Buffer) =>
            Array.from({ length: Math.ceil(bytes.length / cutEvery) }, (_, i) => bytes.subarray(i * cutEvery, (i + 1) * cutEvery)),
        }
      : {}),
  });
  const server = await serveSdks(withDialects(inner));
  onTestFinished(() => server.close());
  return { openai: server.openai, inner: inner as ReplayProvider };
}

test.each([undefined, 1, 7, 100])('the OpenAI SDK reads a translated stream of text, cut every %s bytes', async (cutEvery) => {
  const { openai, inner } = await client(fixture('anthropic-text.sse'), cutEvery);
  const stream = openai.chat.completions.stream({ model: 'claude', messages, stream_options: { include_usage: true } });
  const completion = await stream.finalChatCompletion();
  expect(completion.id).toBe('chatcmpl-msg_01Hh7vDkq8L2qVZrPp4xT9sN');
  expect(completion.model).toBe('claude-sonnet-4-5-20250929');
  expect(completion.choices[0]).toMatchObject({
    finish_reason: 'stop',
    message: { role: 'assistant', content: 'Grüße aus Zürich: 你好, 👋🏽 and "quotes"\ndone.' },
  });
  expect(completion.usage).toEqual({
    prompt_tokens: 14,
    completion_tokens: 23,
    total_tokens: 37,
    prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  });
  expect(inner.asked[0]).toEqual({ model: 'claude', max_tokens: 4096, messages: [{ role: 'user', content: 'hello' }], stream: true });
});

test('the OpenAI SDK reads a translated stream with thinking and parallel tool calls', async () => {
  const { openai } = await client(fixture('anthropic-tools.sse'), 13);
  const chunks = [];
  const stream = openai.chat.completions.stream({ model: 'claude', messages, tools, stream_options: { include_usage: true } });
  for await (const chunk of stream) chunks.push(chunk);
  const { choices, usage } = await stream.finalChatCompletion();
  expect(choices[0]?.finish_reason).toBe('tool_calls');
  expect(choices[0]?.message.content).toBe("I'll look up both.");
  const calls = choices[0]?.message.tool_calls?.map(
    (call) => call.type === 'function' && [call.id, call.function.name, call.function.arguments],
  );
  expect(calls).toEqual([
    ['toolu_01T1x1fJ34qAmk2tNTrN7Up6', 'get_weather', '{"location": "Zürich", "order": 12345678901234567890}'],
    ['toolu_01Q9vJ7Zr3bW2LkYd5Hn8MpA', 'get_weather', '{"location": "Oslo"}'],
    ['toolu_01B5cN4XsK2pQ7rTgV9fWm3D', 'get_time', '{}'],
  ]);
  expect(usage).toMatchObject({
    prompt_tokens: 2788,
    completion_tokens: 187,
    prompt_tokens_details: { cached_tokens: 2048, cache_write_tokens: 128 },
    completion_tokens_details: { reasoning_tokens: 41 },
  });
  const reasoning = chunks
    .map((chunk) => (chunk.choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? '')
    .join('');
  expect(reasoning).toBe('Two cities, so two calls; and the time.');
  expect(chunks[0]?.choices[0]?.delta).toMatchObject({ role: 'assistant' });
});

test('the OpenAI SDK sees no usage that it did not ask for, and one finishing chunk', async () => {
  const { openai } = await client(fixture('anthropic-text.sse'));
  const chunks = [];
  for await (const chunk of await openai.chat.completions.create({ model: 'claude', messages, stream: true })) chunks.push(chunk);
  expect(chunks.every((chunk) => !('usage' in chunk))).toBe(true);
  expect(chunks.filter((chunk) => chunk.choices[0]?.finish_reason)).toHaveLength(1);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
});

test('the OpenAI SDK sees a refusal as one', async () => {
  const { openai } = await client(fixture('anthropic-refusal.sse'));
  const { choices } = await openai.chat.completions.stream({ model: 'claude', messages }).finalChatCompletion();
  expect(choices[0]).toMatchObject({ finish_reason: 'content_filter', message: { content: 'I can', refusal: 'This touches on attacks.' } });
});

test('the OpenAI SDK reads a translated plain answer', async () => {
  const { openai } = await client(fixture('anthropic-message.json'));
  const completion = await openai.chat.completions.create({ model: 'claude', messages, tools });
  expect(completion.object).toBe('chat.completion');
  expect(completion.choices[0]).toMatchObject({
    index: 0,
    finish_reason: 'tool_calls',
    message: {
      role: 'assistant',
      content: "I'll look up both. 👋🏽",
      refusal: null,
      reasoning_content: 'Two calls.',
      tool_calls: [
        {
          id: 'toolu_01T1x1fJ34qAmk2tNTrN7Up6',
          type: 'function',
          function: { name: 'get_weather', arguments: '{"location":"Zürich","order":12345678901234567890}' },
        },
        { id: 'toolu_01B5cN4XsK2pQ7rTgV9fWm3D', type: 'function', function: { name: 'get_time', arguments: '{}' } },
      ],
    },
  });
  expect(completion.usage).toMatchObject({ prompt_tokens: 2788, completion_tokens: 187, total_tokens: 2975 });
});

test('the OpenAI SDK raises when the stream breaks off before it is finished', async () => {
  const whole = fixture('anthropic-text.sse');
  const { openai } = await client(whole.slice(0, whole.indexOf('event: message_delta')), 50);
  const stream = openai.chat.completions.stream({ model: 'claude', messages });
  await expect(stream.finalChatCompletion()).rejects.toThrow();
});
