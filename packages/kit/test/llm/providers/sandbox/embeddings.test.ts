import { describe, expect, test } from 'vitest';
import { start, setUp, failureOf, sdkOn } from './attempts.ts';

describe('embeddings', () => {
  const embed = async (body: object, model = 'embed') => {
    const { tail, usage } = await start(setUp().provider, model, body, { operation: 'embeddings' }).result;
    const answer = JSON.parse(tail.toString()) as { data: { index: number; embedding: number[] }[]; usage: object };
    return { vectors: answer.data.map((item) => item.embedding), indexes: answer.data.map((item) => item.index), usage };
  };
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);

  test('are unit vectors of the length asked for, the same for the same text', async () => {
    const { vectors, indexes } = await embed({ input: ['a cat sat', 'a cat sat', 'stock prices', '   ', 'a'], dimensions: 64 });
    expect(indexes).toEqual([0, 1, 2, 3, 4]);
    for (const vector of vectors) {
      expect(vector).toHaveLength(64);
      expect(dot(vector, vector)).toBeCloseTo(1, 5);
    }
    expect(vectors[0]).toEqual(vectors[1]);
    expect(vectors[0]).not.toEqual(vectors[2]);
    expect((await embed({ input: 'x' })).vectors[0]).toHaveLength(1536);
    expect((await embed({ input: 'x' }, 'embed?dimensions=3')).vectors[0]).toHaveLength(3);
    expect((await embed({ input: 'one', dimensions: 1 })).vectors[0]!.map(Math.abs)).toEqual([1]);
  });

  test('of texts that share words lie closer together', async () => {
    const { vectors } = await embed({ input: ['the invoice is due in March', 'when is the invoice due', 'penguins swim very well'] });
    expect(dot(vectors[0]!, vectors[1]!)).toBeGreaterThan(dot(vectors[0]!, vectors[2]!) + 0.2);
  });

  test('the official SDK gets the same numbers through base64 as through floats', async () => {
    const client = sdkOn(setUp().provider);
    const base64 = await client.embeddings.create({ model: 'embed', input: 'hello', dimensions: 16 });
    const floats = await client.embeddings.create({ model: 'embed', input: 'hello', dimensions: 16, encoding_format: 'float' });
    expect(base64.data[0]!.embedding).toEqual(floats.data[0]!.embedding);
    expect(base64.usage).toEqual({ prompt_tokens: 1, total_tokens: 1 });
  });

  test('take tokens and lists of tokens', async () => {
    const one = await embed({ input: [1, 2, 3], dimensions: 8 });
    const many = await embed({ input: [[1, 2, 3], [4]], dimensions: 8 });
    expect(many.vectors[0]).toEqual(one.vectors[0]);
    expect(many.usage).toMatchObject({ promptTokens: 4, completionTokens: 0 });
  });

  test.each([
    [{ input: '' }],
    [{ input: [] }],
    [{ input: ['a', ''] }],
    [{ input: [[1.5]] }],
    [{ input: 7 }],
    [{}],
    [{ input: 'a', dimensions: 0 }],
    [{ input: 'a', dimensions: 9_999 }],
    [{ input: 'a', encoding_format: 'hex' }],
    [{ input: 'word '.repeat(9_000) }],
    [{ input: Array<string>(2_049).fill('a') }],
  ])('refuse %j', async (body) => {
    expect(await failureOf(start(setUp().provider, 'embed', body, { operation: 'embeddings' }))).toMatchObject({
      code: 'provider_rejected_request',
    });
  });
});

describe('count_tokens', () => {
  test("answers in Anthropic's shape, for an Anthropic body, and uses nothing", async () => {
    const { provider } = setUp();
    const count = async (body: object) => {
      const { tail, usage } = await start(provider, 'demo', body, { operation: 'count_tokens', dialect: 'anthropic' }).result;
      expect(usage).toMatchObject({ promptTokens: 0, completionTokens: 0 });
      return JSON.parse(tail.toString()) as { input_tokens: number };
    };
    const short = await count({ messages: [{ role: 'user', content: 'hello' }] });
    expect(Object.keys(short)).toEqual(['input_tokens']);
    const long = await count({
      system: 'be kind',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hello there, how are you?' }] }],
      tools: [{ name: 'a', input_schema: {} }],
    });
    expect(long.input_tokens).toBeGreaterThan(short.input_tokens + 5);
  });

  test('every operation is supported', () => {
    const { provider } = setUp();
    expect((['chat', 'embeddings', 'count_tokens'] as const).map((operation) => provider.supports(operation))).toEqual([true, true, true]);
  });
});
