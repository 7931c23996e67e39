import { HoldfastError } from '@holdfast/kit/errors';
import { attemptLimitDefaults } from '@holdfast/kit/llm/layers/attempt-limits';
import { readShallowBody, type AttemptResult, type Provider, type RestartableSink } from '@holdfast/kit/llm';
import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { Cancellation } from '@holdfast/kit/time';
import { expect, test } from 'vitest';
import { createModelCatalog, type ModelDefinition } from './model-catalog.ts';
import { emptyRecord } from './model-call.ts';

const sink: RestartableSink = { begun: false, connected() {}, pulse() {}, head() {}, data: () => true, drained() {}, abandon() {} };

function setUp(models: Readonly<Record<string, Partial<ModelDefinition>>>) {
  const clock = createFakeClock();
  let asked = 0;
  let answer: () => Promise<AttemptResult> = () => Promise.reject(new HoldfastError('provider_failed'));
  const provider: Provider = {
    name: 'p',
    kind: 'openai',
    dialect: 'openai',
    supports: () => true,
    attempt: () => {
      asked += 1;
      return answer();
    },
    close: async () => {},
  };
  const definitions = Object.entries(models).map(
    ([name, model]) => [name, { targets: [{ name: 'p/x' }], limits: attemptLimitDefaults, ...model }] as const,
  );
  const catalog = createModelCatalog({
    providers: new Map([['p', provider]]),
    models: new Map(definitions),
    clock,
    random: createSeededRandom(1),
  });
  const call = (model: string): Promise<unknown> =>
    catalog
      .find(model)!
      .targets[0]!.attempt(
        {
          operation: 'chat',
          dialect: 'openai',
          model: 'x',
          stream: false,
          body: readShallowBody(Buffer.from('{}')),
          headers: {},
          cancellation: new Cancellation(),
          callId: 'c',
          requestId: 'r',
          journal: emptyRecord(),
          latency: undefined,
          spare: undefined,
        },
        sink,
      )
      .then(
        () => 'completed',
        (error: HoldfastError) => error.code,
      );
  return { clock, catalog, call, asked: () => asked, play: (next: typeof answer) => (answer = next) };
}

test('models that lead to one target share its breaker, also with whoever asks for it by its own name', async () => {
  const guards = { breaker: { threshold: 2 } };
  const { catalog, call } = setUp({ one: { guards, retry: { attempts: 1 } }, other: { guards, retry: { attempts: 1 } } });
  expect([await call('one'), await call('other')]).toEqual(['provider_failed', 'provider_failed']);
  expect([await call('one'), await call('other'), await call('p/x')]).toEqual(['circuit_open', 'circuit_open', 'circuit_open']);
  expect(catalog.breakers().map(({ name, state }) => [name, state])).toEqual([['p/x', 'open']]);
});

test('models that lead to one target share its retry budget', async () => {
  const guards = { breaker: { enabled: false }, budgetPercent: 0 };
  const retry = { attempts: 5, firstDelayMs: 0 };
  const { call, asked } = setUp({ one: { guards, retry }, other: { guards, retry } });
  for (const model of ['one', 'other', 'p/x', 'one']) await call(model);
  // Four calls, and the three retries that any window has.
  expect(asked()).toBe(7);
});

test('models that lead to one target share its slots', async () => {
  const guards = { bulkhead: { maxConcurrent: 1, maxQueued: 0 } };
  const { call, play } = setUp({ one: { guards }, other: { guards } });
  let end: (() => void) | undefined;
  play(() => new Promise((_resolve, reject) => (end = () => reject(new HoldfastError('content_filtered')))));
  const first = call('one');
  expect(await call('other')).toBe('concurrency_limited');
  end!();
  expect(await first).toBe('content_filtered');
});

test('a target without a breaker is asked however often it fails', async () => {
  const { catalog, call } = setUp({ one: { guards: { breaker: { enabled: false } }, retry: { attempts: 1 } } });
  for (let calls = 0; calls < 20; calls++) expect(await call('one')).toBe('provider_failed');
  expect(catalog.breakers()).toEqual([]);
});

test('names that clients make up do not pile up, and what they leave is ended', () => {
  const { catalog } = setUp({ one: {} });
  for (let at = 0; at < 1_200; at++) catalog.find(`p/made-up-${at}`);
  // Those that are remembered, and the one of the configuration.
  expect(catalog.breakers()).toHaveLength(1_001);
  expect(catalog.findBreaker('p/made-up-0')).toBeUndefined();
  expect(catalog.findBreaker('p/made-up-1199')).toBeDefined();
});
