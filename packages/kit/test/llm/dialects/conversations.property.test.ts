import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestText, translateRequest, type Body } from './translate.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((value) => value.trim() !== '');
const id = fc.oneof(fc.stringMatching(/^(call|toolu)_[A-Za-z0-9]{4,24}$/), fc.string({ minLength: 1, maxLength: 60 }));
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/);
const input = fc.dictionary(fc.string({ maxLength: 6 }), fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.bigInt({ min: 0n, max: 10n ** 30n })), {
  maxKeys: 3,
});
const writeInput = (value: Record<string, unknown>): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? (JSON as unknown as { rawJSON(source: string): unknown }).rawJSON(String(inner)) : inner,
  );
const image = fc.oneof(
  fc.base64String({ minLength: 4, maxLength: 40 }).map((data) => `data:image/png;base64,${data}`),
  fc.webUrl().map((url) => url),
);

interface Exchange {
  readonly said: readonly ({ text: string } | { image: string })[];
  readonly answer: string;
  readonly calls: readonly { id: string; name: string; input: string; result: string }[];
}

const exchange: fc.Arbitrary<Exchange> = fc.record({
  said: fc.array(
    fc.oneof(
      text.map((value) => ({ text: value })),
      image.map((value) => ({ image: value })),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  answer: text,
  calls: fc.uniqueArray(fc.record({ id, name, input: input.map(writeInput), result: fc.oneof(text, fc.constant('')) }), {
    maxLength: 3,
    selector: (call) => call.id,
  }),
});
const conversation = fc.record({
  system: fc.array(text, { maxLength: 2 }),
  exchanges: fc.array(exchange, { maxLength: 3 }),
  last: text,
});

function toOpenai({ system, exchanges, last }: { system: readonly string[]; exchanges: readonly Exchange[]; last: string }): Body {
  const messages: Body[] = system.map((content) => ({ role: 'system', content }));
  for (const { said, answer, calls } of exchanges) {
    messages.push({
      role: 'user',
      content: said.map((part) =>
        'text' in part ? { type: 'text', text: part.text } : { type: 'image_url', image_url: { url: part.image } },
      ),
    });
    messages.push({
      role: 'assistant',
      content: answer,
      ...(calls.length > 0
        ? { tool_calls: calls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.input } })) }
        : {}),
    });
    for (const call of calls) messages.push({ role: 'tool', tool_call_id: call.id, content: call.result });
  }
  return {
    model: 'm',
    messages: [...messages, { role: 'user', content: last }],
    max_completion_tokens: 50,
    tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
  };
}

/** What an OpenAI conversation says, one statement a line, whichever way its messages are put together. */
function statements(body: Body): string[] {
  const ids = new Map<string, number>();
  const number = (callId: unknown): number => {
    if (!ids.has(callId as string)) ids.set(callId as string, ids.size);
    return ids.get(callId as string)!;
  };
  return (body['messages'] as Body[]).flatMap(({ role, content, tool_calls: calls, tool_call_id: callId }) => {
    const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : ((content ?? []) as Body[]);
    const texts = parts.map((part) =>
      part['type'] === 'text'
        ? `${role as string}: ${part['text'] as string}`
        : `${role as string} shows ${(part['image_url'] as { url: string }).url}`,
    );
    if (role === 'tool') return [`result ${number(callId)}: ${texts.join('')}`];
    const called = ((calls ?? []) as { id: string; function: { name: string; arguments: string } }[]).map(
      (call) => `calls ${number(call.id)} ${call.function.name} ${call.function.arguments}`,
    );
    return [...texts, ...called];
  });
}

test("a conversation of OpenAI's, translated there and back, says the same", async () => {
  await fc.assert(
    fc.asyncProperty(conversation.map(toOpenai), async (body) => {
      const back = await translateRequest('anthropic', await requestText('openai', body));
      // System messages come together at the start, which is where these conversations have them.
      expect(statements(back)).toEqual(statements(body).filter((line) => !/^(user|assistant): $/.test(line)));
      expect(back).toMatchObject({ max_completion_tokens: 50, tools: body['tools'] });
    }),
    { numRuns: 300 },
  );
});

test('what is translated once stays the same when it is translated there and back again', async () => {
  await fc.assert(
    fc.asyncProperty(conversation.map(toOpenai), async (body) => {
      const once = await requestText('openai', body);
      const again = await requestText('openai', await requestText('anthropic', once));
      expect(again).toBe(once);
    }),
    { numRuns: 100 },
  );
});
