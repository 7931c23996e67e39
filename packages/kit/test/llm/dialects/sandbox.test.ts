import { expect, onTestFinished, test } from 'vitest';
import { withDialects } from '../../../src/llm/dialects/index.ts';
import { createSandboxProvider } from '../../../src/llm/providers/sandbox/index.ts';
import { attemptRequest, CollectingSink } from './replay.ts';
import { serveSdks } from './sdk-server.ts';

// The sandbox speaks OpenAI's dialect: what an Anthropic client gets from it goes through the real thing, not a replay.

async function anthropic() {
  const server = await serveSdks(withDialects(createSandboxProvider()));
  onTestFinished(() => server.close());
  return server.anthropic;
}
const ask = { model: 'echo', max_tokens: 200, messages: [{ role: 'user' as const, content: 'Grüße, 世界 👋🏽' }] };

test('an Anthropic client gets the same answer from the sandbox streamed and plain', async () => {
  const client = await anthropic();
  const plain = await client.messages.create(ask);
  const streamed = await client.messages.stream(ask).finalMessage();
  expect(plain.content).toEqual([{ type: 'text', text: expect.stringContaining('Grüße, 世界 👋🏽') as string, citations: null }]);
  expect(streamed.content).toEqual(plain.content);
  expect([streamed.stop_reason, streamed.usage.output_tokens]).toEqual([plain.stop_reason, plain.usage.output_tokens]);
  expect(plain.usage.input_tokens).toBeGreaterThan(0);
});

test('an Anthropic client gets its tool called by the sandbox', async () => {
  const client = await anthropic();
  const tools = [{ name: 'look', input_schema: { type: 'object' as const, properties: { at: { type: 'string' } }, required: ['at'] } }];
  const message = await client.messages.stream({ ...ask, tools, tool_choice: { type: 'tool', name: 'look' } }).finalMessage();
  expect(message.stop_reason).toBe('tool_use');
  expect(message.content.at(-1)).toMatchObject({ type: 'tool_use', name: 'look', input: { at: expect.any(String) as string } });
});

test('an Anthropic client counts tokens at the sandbox', async () => {
  const client = await anthropic();
  const { input_tokens: tokens } = await client.messages.countTokens({ model: 'echo', messages: ask.messages });
  expect(tokens).toBeGreaterThan(0);
});

test.each([
  ['cutAfter', 'stream_cut'],
  ['malformedAfter', 'provider_malformed'],
])('a stream of the sandbox that ends by %s fails as %s, after what came before', async (setting, code) => {
  const sink = new CollectingSink();
  const request = attemptRequest('anthropic', { ...ask, stream: true }, { model: `demo?${setting}=3` });
  await expect(withDialects(createSandboxProvider()).attempt(request, sink)).rejects.toMatchObject({ code });
  const seen = sink.pieces.join('');
  expect(seen).toContain('"text_delta"');
  expect(seen).not.toMatch(/message_delta|message_stop/);
});
