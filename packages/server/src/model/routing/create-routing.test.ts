import { readShallowBody, type AttemptResult, type Operation } from '@holdfast/kit/llm';
import type { BreakerState } from '@holdfast/kit/resilience';
import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { describe, expect, test } from 'vitest';
import { createRouting, RoutingMemory, type RoutedCall, type RouteStrategy } from './index.ts';

function target(model: string, options: { operations?: readonly Operation[]; state?: BreakerState; weight?: number } = {}) {
  const { operations = ['chat', 'embeddings'], weight = 1 } = options;
  const breaker = { state: options.state ?? 'closed' };
  return {
    name: `primary/${model}`,
    provider: { kind: 'openai', supports: (operation: Operation) => operations.includes(operation) },
    model,
    weight,
    breaker,
  };
}

/** Nano-dollars by model: for a token that goes in, and for one that comes out. */
const prices: Record<string, readonly [number, number]> = { reader: [1, 10], writer: [3, 4] };

function call(options: { operation?: Operation; stream?: boolean; body?: object } = {}): RoutedCall {
  const { operation = 'chat', stream = false, body = {} } = options;
  return {
    operation,
    stream,
    body: readShallowBody(Buffer.from(JSON.stringify(body))),
    context: { startedAt: 0 },
    record: {
      pricing: {
        costNanoUsd: ({ model, usage }) => {
          const price = prices[model];
          return price ? usage.promptTokens * price[0] + usage.completionTokens * price[1] : null;
        },
      },
    },
  };
}

const answer = (completionTokens: number): AttemptResult => ({
  head: { headers: {} },
  tail: Buffer.alloc(0),
  usage: { promptTokens: 1, completionTokens, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, source: 'provider' },
  finishReason: 'stop',
  servedModel: undefined,
  outputBytes: 0,
});

function route<Target extends ReturnType<typeof target>>(strategy: RouteStrategy, targets: readonly Target[]) {
  const clock = createFakeClock();
  return { clock, ...createRouting({ strategy, targets, random: createSeededRandom(1), memory: new RoutingMemory(clock) }) };
}
const names = (targets: readonly { readonly model: string }[]) => targets.map(({ model }) => model);

describe.each(['fallback', 'weighted', 'latency', 'cost'] as const)('%s', (strategy) => {
  test('never chooses a target that does not offer the operation', () => {
    const { order } = route(strategy, [target('a', { operations: ['chat'] }), target('b'), target('c', { operations: ['embeddings'] })]);
    for (let at = 0; at < 50; at++) {
      expect(names(order(call({ operation: 'chat' }))).toSorted()).toEqual(['a', 'b']);
      expect(names(order(call({ operation: 'embeddings' }))).toSorted()).toEqual(['b', 'c']);
      expect(order(call({ operation: 'count_tokens' }))).toEqual([]);
    }
  });

  test('asks one with an open breaker last, and one that may be probed as any other', () => {
    const open = route(strategy, [target('a', { state: 'open' }), target('b'), target('c')]);
    const probed = route(strategy, [target('a', { state: 'half_open' }), target('b')]);
    const first = new Set<string>();
    for (let at = 0; at < 50; at++) {
      expect(names(open.order(call())).at(-1)).toBe('a');
      first.add(probed.order(call())[0]!.model);
    }
    expect(first).toContain('a');
  });

  test('has nothing to choose or to learn of a single target', () => {
    const only = target('a', { state: 'open' });
    const { order, latencyOf } = route(strategy, [only]);
    expect(order(call())).toEqual([only]);
    expect(latencyOf(only, call())).toBeUndefined();
  });
});

test('weights are those of the targets that offer the operation', () => {
  const { order } = route('weighted', [target('a', { weight: 98, operations: ['chat'] }), target('b'), target('c')]);
  const first = Array.from({ length: 400 }, () => order(call({ operation: 'embeddings' }))[0]!.model);
  expect(first.filter((name) => name === 'b').length).toBeGreaterThan(150);
  expect(first.filter((name) => name === 'c').length).toBeGreaterThan(150);
});

test('latencies of streams, of plain answers and of operations are kept apart', () => {
  const targets = [target('a'), target('b')] as const;
  const { order, latencyOf, clock } = route('latency', targets);
  for (const [stream, slow] of [
    [true, targets[0]],
    [false, targets[1]],
  ] as const) {
    for (const each of targets) {
      const observer = latencyOf(each, call({ stream }))!;
      const startedAt = clock.monotonic();
      observer.started(startedAt);
      clock.advance(each === slow ? 5_000 : 50);
      observer.answered(startedAt);
    }
  }
  for (let at = 0; at < 20; at++) {
    expect(order(call({ stream: true }))[0]!.model).toBe('b');
    expect(order(call({ stream: false }))[0]!.model).toBe('a');
  }
  const embeddings = Array.from({ length: 50 }, () => order(call({ operation: 'embeddings' }))[0]!.model);
  expect(new Set(embeddings).size).toBe(2);
});

describe('the cheapest', () => {
  const targets = [target('reader'), target('writer')];
  const first = (routing: ReturnType<typeof route>, body: object, operation: Operation = 'chat') =>
    routing.order(call({ body, operation }))[0]!.model;
  const long = { messages: [{ role: 'user', content: 'x '.repeat(40_000) }] };
  const short = { messages: [{ role: 'user', content: 'a question of forty characters, or so it is' }] };

  test('is that of this call: by its prompt, and by what it lets come out', () => {
    const routing = route('cost', targets);
    expect(first(routing, long)).toBe('reader');
    expect(first(routing, short)).toBe('writer');
    expect(first(routing, { ...short, max_tokens: 1 })).toBe('reader');
    expect(first(routing, { ...short, max_completion_tokens: 1 })).toBe('reader');
    expect(first(routing, short, 'embeddings')).toBe('reader');
  });

  test('goes by how long the answers of the model are', () => {
    const routing = route('cost', targets);
    for (let at = 0; at < 200; at++) routing.completed(call(), answer(1));
    expect(first(routing, short)).toBe('reader');
    for (let at = 0; at < 200; at++) routing.completed(call(), answer(4_000));
    expect(first(routing, short)).toBe('writer');
  });

  test('is never one whose price is not known', () => {
    const { order } = route('cost', [target('nobody-knows'), ...targets]);
    expect(names(order(call({ body: short })))).toEqual(['writer', 'reader', 'nobody-knows']);
  });
});
