import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const messages = [{ role: 'user' as const, content: 'Hello' }];

/** Two targets each, under names of their own, so that nothing that one test teaches reaches another. */
const pair = (name: string, weights?: readonly [number, number]) =>
  ['a', 'b'].map((each, at) => (weights ? { target: `primary/${name}-${each}`, weight: weights[at] } : `primary/${name}-${each}`));

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    models: {
      weighted: { strategy: 'weighted', targets: pair('weighted', [3, 1]) },
      latency: { strategy: 'latency', targets: pair('latency') },
      cost: { strategy: 'cost', targets: [...pair('cost'), 'primary/cost-unknown'] },
    },
    prices: {
      openai: {
        'cost-a': { input: 10, output: 1 },
        'cost-b': { input: 1, output: 100 },
      },
    },
  });
});
afterEach(() => gateway.upstream.reset());
afterAll(() => gateway.stop());

/** Which target the header says it was. */
async function ask(model: string, body: object = {}): Promise<string> {
  const { response } = await gateway.openai.chat.completions.create({ model, messages, ...body }).withResponse();
  return response.headers.get('x-holdfast-model')!;
}

async function stream(model: string, id = requestId()) {
  const { data, response } = await gateway.openai.chat.completions
    .create({ model, messages, stream: true }, { headers: { 'x-request-id': id } })
    .withResponse();
  let text = '';
  for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? '';
  return { id, text, served: response.headers.get('x-holdfast-model'), attempts: response.headers.get('x-holdfast-attempts') };
}

const countOf = (name: string, served: readonly string[]) => served.filter((each) => each === name).length;

describe('strategy weighted', () => {
  test('shares the calls by weight, and the header says who served', async () => {
    const served: string[] = [];
    for (let batch = 0; batch < 10; batch++) served.push(...(await Promise.all(Array.from({ length: 16 }, () => ask('weighted')))));
    // 120 of 160 are expected; 87 are six standard deviations away.
    expect(countOf('weighted-a', served)).toBeGreaterThan(87);
    expect(countOf('weighted-b', served)).toBeGreaterThan(8);
    expect(gateway.upstream.calls.map(({ model }) => model!).toSorted()).toEqual(served.toSorted());
  });

  test('one that fails leaves its calls to the other', async () => {
    gateway.upstream.script('weighted-a', { kind: 'error', status: 401 });
    for (let at = 0; at < 8; at++) expect(await ask('weighted')).toBe('weighted-b');
  });
});

describe('strategy latency', () => {
  test('goes to the faster one, and away from it when it turns slow', async () => {
    gateway.upstream.script('latency-a', { firstTokenDelayMs: 250 });
    const before: string[] = [];
    for (let at = 0; at < 30; at++) before.push((await stream('latency')).served!);
    expect(countOf('latency-b', before)).toBeGreaterThan(20);
    gateway.upstream.script('latency-a', {});
    gateway.upstream.script('latency-b', { firstTokenDelayMs: 1_000 });
    const after: string[] = [];
    for (let at = 0; at < 20; at++) after.push((await stream('latency')).served!);
    expect(countOf('latency-a', after)).toBeGreaterThan(15);
  });
});

describe('strategy cost', () => {
  test('goes to the cheapest for this call, and never first to one whose price is not known', async () => {
    expect(await ask('cost', { max_tokens: 1, messages: [{ role: 'user', content: 'x '.repeat(2_000) }] })).toBe('cost-b');
    expect(await ask('cost', { max_tokens: 1_000 })).toBe('cost-a');
    gateway.upstream.script('cost-a', { kind: 'error', status: 401 });
    gateway.upstream.script('cost-b', { kind: 'error', status: 401 });
    expect(await ask('cost', { max_tokens: 1_000 })).toBe('cost-unknown');
    expect(gateway.upstream.calls.slice(-3).map(({ model }) => model)).toEqual(['cost-a', 'cost-b', 'cost-unknown']);
  });
});
