import { targetChosen, type TargetChosen } from '@holdfast/kit/llm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { scriptedModels } from './scripted-models.ts';

const served = ({ call }: { readonly call: { readonly record: { readonly provider: string | undefined } } }) => call.record.provider;

async function runAll(models: ReturnType<typeof scriptedModels>, calls: number, options: Parameters<typeof models.run>[0] = {}) {
  const all: (string | undefined)[] = [];
  for (let at = 0; at < calls; at++) all.push(served(await models.run(options)));
  return all;
}
const count = (name: string, all: readonly unknown[]) => all.filter((each) => each === name).length;

describe('a call of strategy latency', () => {
  test.each([true, false])('goes where the first event, or a plain answer, comes soonest (stream: %s)', async (stream) => {
    const models = scriptedModels({ strategy: 'latency' }, { a: { firstMs: 400 }, b: { firstMs: 100 } });
    expect(count('b', await runAll(models, 40, { stream }))).toBeGreaterThan(36);
  });

  test('of a stream goes by the first event, however long the rest takes', async () => {
    const models = scriptedModels({ strategy: 'latency' }, { a: { firstMs: 400, restMs: 1 }, b: { firstMs: 100, restMs: 900 } });
    expect(count('b', await runAll(models, 40))).toBeGreaterThan(34);
  });

  test.each(['provider_failed', 'provider_auth_failed', 'provider_rate_limited'] as const)(
    'keeps away from a target that answers %s at once',
    async (fails) => {
      const models = scriptedModels(
        { strategy: 'latency', guards: { breaker: { enabled: false } } },
        { a: { firstMs: 1, fails }, b: { firstMs: 900 } },
      );
      await runAll(models, 40);
      expect(
        count(
          'a',
          models.asked.map(({ target }) => target),
        ),
      ).toBeLessThan(4);
    },
  );

  test('is not drawn to a target by the speed with which it refuses faulty requests', async () => {
    const models = scriptedModels({ strategy: 'latency' }, { a: { firstMs: 400 }, b: { firstMs: 100 } });
    await runAll(models, 10);
    models.script('a', { firstMs: 1, fails: 'provider_rejected_request' });
    models.script('b', { firstMs: 1, fails: 'provider_rejected_request' });
    await runAll(models, 20);
    models.script('a', { firstMs: 400 });
    models.script('b', { firstMs: 100 });
    expect(count('b', await runAll(models, 20))).toBeGreaterThan(17);
  });

  test('leaves no call counted as waiting, however it ends', async () => {
    const models = scriptedModels({ strategy: 'latency' }, { a: { firstMs: 300 }, b: { firstMs: 100 } });
    await runAll(models, 10);
    for (const fails of ['provider_failed', 'provider_rejected_request', 'first_token_timeout'] as const) {
      models.script('b', { firstMs: 1, fails });
      await runAll(models, 3);
    }
    const gone = models.start();
    await models.clock.advanceAsync(1);
    gone.call.context.cancellation.cancel(new Error('gone'));
    await gone.done;
    const { routing, targets } = models.catalog().find('m')!;
    const idle = gone.call;
    models.clock.advance(10_000_000);
    // Whoever still waited would have grown old by now, and weigh more than anything that was ever seen.
    for (const target of targets) expect((routing.latencyOf(target, idle) as unknown as { load(): number }).load()).toBeLessThan(130_000);
  });

  test('goes on with what it knew after the configuration was read anew', async () => {
    const models = scriptedModels({ strategy: 'latency' }, { a: { firstMs: 400 }, b: { firstMs: 100 } });
    await runAll(models, 10);
    models.reload();
    // Also when nobody asked for the model in between.
    models.reload();
    expect(count('b', await runAll(models, 10))).toBe(10);
  });
});

test('a call of strategy cost asks the cheapest target first, by the prices with which it began', async () => {
  const models = scriptedModels({ strategy: 'cost' }, { a: {}, b: {} });
  for (const [cheap, provider] of [
    ['b1', 'b'],
    ['a1', 'a'],
  ]) {
    const pricing = { costNanoUsd: ({ model }: { readonly model: string }) => (model === cheap ? 1 : 2) };
    expect(served(await models.run({ pricing }))).toBe(provider);
  }
});

test('the target to be asked first is announced, where there is a choice', async () => {
  const seen: TargetChosen[] = [];
  onTestFinished(targetChosen.subscribe((event) => void seen.push(event)));
  await scriptedModels({ strategy: 'fallback' }, { a: { fails: 'provider_failed' }, b: {} }).run();
  await scriptedModels({}, { a: {} }).run();
  expect(seen).toEqual([{ model: 'm', strategy: 'fallback', target: 'a/a1' }]);
});
