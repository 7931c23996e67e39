import { readShallowBody, type Operation } from '@holdfast/kit/llm';
import { describe, expect, test } from 'vitest';
import { costIn, expectedTokens } from './expected-tokens.ts';

function expected(body: object, operation: Operation = 'chat') {
  const shallow = readShallowBody(Buffer.from(JSON.stringify(body)));
  return expectedTokens({ operation, body: shallow }, 1_000);
}

const ask = (content: unknown, more: object = {}) => ({ model: 'm', messages: [{ role: 'user', content }], ...more });
const promptOf = (content: unknown) => expected(ask(content))!.prompt;

describe('the prompt', () => {
  test.each([
    ['English', 'Retries and breakers, rate limits, keys and tenants, budgets that hold. ', 0.25],
    ['Russian', 'Повторы и ограничения, ключи и арендаторы, бюджеты и журнал. ', 0.5],
    ['Chinese', '重试、熔断、限流、密钥、租户、预算、审计、脱敏、指标、追踪。', 1],
  ])(
    'in %s is expected to have no fewer tokens than the rule of thumb says, and not twice as many',
    (_language, text, tokensPerCharacter) => {
      const length = text.length * 100;
      const own = promptOf(text.repeat(100)) - promptOf('');
      expect(own).toBeGreaterThanOrEqual(length * tokensPerCharacter);
      expect(own).toBeLessThan(length * tokensPerCharacter * 2);
    },
  );

  test('with a picture is not counted letter by letter, with Chinese of the same length it is', () => {
    const picture = [{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(1_000_000)}` } }];
    expect(promptOf(picture)).toBeLessThan(2_000);
    expect(promptOf('界'.repeat(100_000))).toBeGreaterThan(90_000);
  });

  test('has the names and descriptions of its tools', () => {
    const tool = { type: 'function', function: { name: 'weather', parameters: { properties: { city: { type: 'string' } } } } };
    expect(expected(ask('hi', { tools: [tool] }))!.prompt).toBeGreaterThan(promptOf('hi') + 10);
  });

  test('of embeddings may be tokens already', () => {
    expect(expected({ model: 'e', input: [Array.from({ length: 500 }, (_, at) => at)] }, 'embeddings')).toMatchObject({ completion: 0 });
    expect(expected({ model: 'e', input: [Array.from({ length: 500 }, (_, at) => at)] }, 'embeddings')!.prompt).toBeGreaterThanOrEqual(500);
  });
});

describe('the answer', () => {
  test.each<[object, number]>([
    [{}, 1_000],
    [{ max_tokens: 50 }, 50],
    [{ max_completion_tokens: 60, max_tokens: 50 }, 60],
    [{ max_tokens: 50, n: 3 }, 150],
    [{ max_tokens: 0 }, 0],
    [{ max_tokens: -5 }, 1_000],
    [{ max_tokens: '50' }, 1_000],
    [{ max_tokens: 1e300, n: 1e300 }, 1_000],
    [{ n: 1_000_000 }, 128_000],
  ])('of a call with %j is expected to have %i', (more, completion) => {
    expect(expected(ask('hi', more))!.completion).toBe(completion);
  });
});

test('counting tokens uses none', () => {
  expect(expected(ask('hi'), 'count_tokens')).toBeUndefined();
});

test('what a client allows the answer to be never makes a call too large for a bucket; what it asks does', () => {
  expect(costIn(10_000, { prompt: 500, completion: 200 })).toBe(700);
  expect(costIn(10_000, { prompt: 500, completion: 64_000 })).toBe(10_000);
  expect(costIn(10_000, { prompt: 10_001, completion: 1 })).toBe(10_001);
});
