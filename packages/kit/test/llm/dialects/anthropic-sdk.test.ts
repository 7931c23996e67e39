import { expect, onTestFinished, test } from 'vitest';
import { withDialects } from '../../../src/llm/dialects/index.ts';
import { fixture, replayProvider } from './replay.ts';
import { serveSdks } from './sdk-server.ts';

const ask = { model: 'gpt', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hello' }] };

async function client(answer: string, cutEvery?: number) {
  const inner = replayProvider({
    dialect: 'openai',
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
  return { anthropic: server.anthropic, inner };
}

test.each([undefined, 1, 7, 100])('the Anthropic SDK reads a translated stream of text, cut every %s bytes', async (cutEvery) => {
  const { anthropic, inner } = await client(fixture('openai-text.sse'), cutEvery);
  const message = await anthropic.messages.stream(ask).finalMessage();
  expect(message).toMatchObject({
    id: 'msg_chatcmpl-CdXm2Qv9T7hRzLw4NbKf1sYpE3uGa',
    type: 'message',
    role: 'assistant',
    model: 'gpt-4o-mini-2024-07-18',
    stop_reason: 'end_turn',
    stop_sequence: null,
    content: [{ type: 'text', text: 'Grüße aus Zürich: 你好, 👋🏽 and "quotes"\ndone.' }],
    usage: {
      input_tokens: 176,
      cache_read_input_tokens: 1024,
      cache_creation_input_tokens: 0,
      output_tokens: 31,
      output_tokens_details: { thinking_tokens: 12 },
    },
  });
  expect(inner.asked[0]).toEqual({
    model: 'gpt',
    max_completion_tokens: 100,
    messages: [{ role: 'user', content: 'hello' }],
    stream: true,
  });
});

test('the Anthropic SDK reads a translated stream with parallel tool calls', async () => {
  const { anthropic } = await client(fixture('openai-tools.sse'), 13);
  const stream = anthropic.messages.stream({ ...ask, tools: [{ name: 'get_weather', input_schema: { type: 'object' } }] });
  const pieces: string[] = [];
  stream.on('inputJson', (piece) => pieces.push(piece));
  const message = await stream.finalMessage();
  expect(message.stop_reason).toBe('tool_use');
  expect(message.content).toMatchObject([
    { type: 'text', text: 'Both.' },
    { type: 'tool_use', id: 'call_62136354a1b2', name: 'get_weather', input: { location: 'Zürich' } },
    { type: 'tool_use', id: 'call_62136355c3d4', name: 'get_weather', input: { location: 'Oslo' } },
    { type: 'tool_use', id: 'call_62136356e5f6', name: 'get_time', input: {} },
  ]);
  expect(pieces).toEqual(['{"loc', 'ation":"Zür', 'ich","order":', '12345678901234567890}', '{"location":', '"Oslo"}', '{}']);
});

test('the Anthropic SDK sees a refusal as one', async () => {
  const { anthropic } = await client(fixture('openai-refusal.sse'));
  const message = await anthropic.messages.stream(ask).finalMessage();
  expect(message).toMatchObject({
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: null, explanation: "I'm sorry, I can't assist." },
    content: [{ type: 'text', text: "I'm sorry, I can't assist." }],
  });
});

test.each(['\n', '\r\n'])('the Anthropic SDK reads a server that is like OpenAI and ends its lines with %j', async (lineEnd) => {
  const { anthropic } = await client(fixture('openai-like-reasoning.sse').replaceAll('\n', lineEnd), 11);
  const message = await anthropic.messages.stream(ask).finalMessage();
  expect(message).toMatchObject({
    stop_reason: 'end_turn',
    content: [{ type: 'text', text: 'Forty-two' }],
    usage: { input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 20 },
  });
});

test('the Anthropic SDK reads a translated plain answer', async () => {
  const { anthropic } = await client(fixture('openai-completion.json'));
  const message = await anthropic.messages.create(ask);
  expect(message).toMatchObject({
    type: 'message',
    role: 'assistant',
    stop_reason: 'tool_use',
    content: [
      { type: 'text', text: 'Both. 👋🏽' },
      { type: 'tool_use', id: 'call_62136354a1b2', name: 'get_weather', input: { location: 'Zürich' } },
      { type: 'tool_use', id: 'call_62136356e5f6', name: 'get_time', input: {} },
    ],
    usage: { input_tokens: 176, cache_read_input_tokens: 1024, output_tokens: 58 },
  });
});

test('the Anthropic SDK raises when the stream breaks off before it is finished', async () => {
  const whole = fixture('openai-text.sse');
  const { anthropic } = await client(whole.slice(0, whole.indexOf('"finish_reason":"stop"') - 200), 50);
  await expect(anthropic.messages.stream(ask).finalMessage()).rejects.toThrow();
});
