import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readChunks, readEvents } from './accumulate.ts';
import { fixture } from './replay.ts';
import { other, translateStream } from './translate.ts';

const streams = {
  openai: ['anthropic-text.sse', 'anthropic-tools.sse', 'anthropic-refusal.sse'],
  anthropic: ['openai-text.sse', 'openai-tools.sse', 'openai-refusal.sse', 'openai-like-reasoning.sse'],
} as const;
const cases = (['openai', 'anthropic'] as const).flatMap((dialect) => streams[dialect].map((name) => ({ dialect, name })));

const cutting = fc.infiniteStream(fc.integer({ min: 1, max: 90 }));
function cutBy(sizes: Iterable<number>) {
  return (bytes: Buffer): Buffer[] => {
    const pieces: Buffer[] = [];
    let at = 0;
    for (const size of sizes) {
      if (at >= bytes.length) break;
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    return pieces;
  };
}

test.each(cases)('$name says the same to a client of $dialect however it is cut', async ({ dialect, name }) => {
  const whole = withoutClock(await translateStream(dialect, fixture(name)));
  await fc.assert(
    fc.asyncProperty(cutting, fc.boolean(), async (sizes, crlf) => {
      const source = crlf ? fixture(name).replaceAll('\n', '\r\n') : fixture(name);
      expect(withoutClock(await translateStream(dialect, source, cutBy(sizes)))).toBe(whole);
    }),
    { numRuns: 40 },
  );
});

test.each(cases)('$name may wrap its data over lines and mix in events that nobody knows', async ({ dialect, name }) => {
  const whole = withoutClock(await translateStream(dialect, fixture(name)));
  const wrapped = fixture(name).replaceAll(/^data: (\{"[a-z_]+":)/gm, 'data: $1\ndata:');
  expect(wrapped).not.toBe(fixture(name));
  const strange = dialect === 'openai' ? 'event: novelty\ndata: {"type":"novelty","index":0}\n\n' : 'data: {"object":"novelty"}\n\n';
  const mixed = wrapped.replaceAll('\n\n', `\n\n: comment\n\n${strange}`);
  expect(withoutClock(await translateStream(dialect, mixed))).toBe(whole);
});

/** An answer: text and calls of tools, in any order. */
const json = fc
  .dictionary(fc.string({ minLength: 1, maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.stringify(value));
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const call = fc.record({ id: fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/), name: fc.stringMatching(/^[a-z_]{1,20}$/), input: json });
const answer = fc.record({
  texts: fc.array(text, { maxLength: 6 }),
  calls: fc.uniqueArray(call, { maxLength: 4, selector: ({ id }) => id }),
  tokens: fc.nat({ max: 9999 }),
});

interface Piece {
  readonly order: number;
  readonly delta: object;
}

/** Chunks of an answer whose pieces are mixed in any way that keeps the order within each text and call. */
const mixed = answer.chain((said) => {
  const tracks: object[][] = said.calls.map(({ id, name, input }, index) => [
    { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
    ...(input.match(/[\s\S]{1,4}/gu) ?? []).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ]);
  tracks.push(said.texts.map((content) => ({ content })));
  const count = tracks.reduce((sum, track) => sum + track.length, 0);
  return fc.array(fc.nat({ max: 1_000_000 }), { minLength: count, maxLength: count }).map((orders) => {
    let next = 0;
    const pieces: Piece[] = tracks.flatMap((track) => {
      const own = orders.slice(next, (next += track.length)).toSorted((a, b) => a - b);
      return track.map((delta, index) => ({ order: own[index]!, delta }));
    });
    return { said, deltas: pieces.toSorted((a, b) => a.order - b.order).map(({ delta }) => delta) };
  });
});

function chunksOf(deltas: readonly object[], finishReason: string, tokens: number): string {
  const chunk = (choices: object[], more: object = {}): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt', choices, ...more })}\n\n`;
  const body = [{ role: 'assistant', content: '' }, ...deltas].map((delta) => chunk([{ index: 0, delta, finish_reason: null }]));
  const usage = { prompt_tokens: 3, completion_tokens: tokens, total_tokens: tokens + 3 };
  return `${body.join('')}${chunk([{ index: 0, delta: {}, finish_reason: finishReason }])}${chunk([], { usage })}data: [DONE]\n\n`;
}

test("any mixture of text and parallel tool calls becomes blocks that keep to Anthropic's protocol and say the same", async () => {
  await fc.assert(
    fc.asyncProperty(mixed, cutting, async ({ said, deltas }, sizes) => {
      const source = chunksOf(deltas, said.calls.length > 0 ? 'tool_calls' : 'stop', said.tokens);
      const meaning = readEvents(await translateStream('anthropic', source, cutBy(sizes)));
      expect(meaning.text).toBe(said.texts.join(''));
      expect(meaning.calls.toSorted(byId)).toEqual(said.calls.toSorted(byId));
      expect([meaning.ending, meaning.outputTokens]).toEqual([said.calls.length > 0 ? 'tool_use' : 'end_turn', said.tokens]);
    }),
    { numRuns: 300 },
  );
});

test('a stream that is translated there and back says the same', async () => {
  await fc.assert(
    fc.asyncProperty(mixed, async ({ said, deltas }) => {
      const source = chunksOf(deltas, said.calls.length > 0 ? 'tool_calls' : 'stop', said.tokens);
      const back = readChunks(
        await translateStream('openai', await translateStream('anthropic', source), undefined, { stream_options: { include_usage: true } }),
      );
      expect(back.text).toBe(said.texts.join(''));
      expect(back.calls.toSorted(byId)).toEqual(said.calls.toSorted(byId));
      expect([back.ending, back.outputTokens]).toEqual([said.calls.length > 0 ? 'tool_calls' : 'stop', said.tokens]);
    }),
    { numRuns: 200 },
  );
});

test.each(cases)('$name, translated, keeps to the protocol of $dialect', async ({ dialect, name }) => {
  const translated = await translateStream(dialect, fixture(name));
  expect((dialect === 'openai' ? readChunks : readEvents)(translated).ending).not.toBeNull();
  // The explanation of a refusal has a place of its own at OpenAI, and is text behind the text at Anthropic.
  const back = await translateStream(other[dialect], translated);
  const explanation = name === 'anthropic-refusal.sse' ? 'This touches on attacks.' : '';
  expect((dialect === 'openai' ? readEvents : readChunks)(back).text).toBe(
    (dialect === 'openai' ? readChunks : readEvents)(translated).text + explanation,
  );
});

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function withoutClock(stream: string): string {
  return stream.replaceAll(/"created":\d+/g, '"created":0');
}
