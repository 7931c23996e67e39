import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readShallowBody, type AttemptResult, type AttemptSink } from '@holdfast/kit/llm';
import { createFakeClock, createSeededRandom, startScriptedUpstream, type ScriptedUpstream } from '@holdfast/kit/testing';
import { Cancellation, systemClock, type Clock } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Closers } from '../../src/composition/index.ts';
import { openModels, type Models } from '../../src/composition/models.ts';
import { loadConfiguration, type Configuration } from '../../src/config/index.ts';
import type { ModelGeneration } from '../../src/model/index.ts';

let upstream: ScriptedUpstream;
let backup: ScriptedUpstream;
let folder: string;

beforeAll(async () => {
  [upstream, backup] = await Promise.all([startScriptedUpstream(), startScriptedUpstream()]);
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-models-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([upstream.close(), backup.close()]);
});

interface Changes {
  readonly providers?: Record<string, object>;
  readonly models?: Record<string, object>;
}

function configured({ providers, models }: Changes = {}): Configuration {
  const file = {
    providers: { primary: { kind: 'openai', baseUrl: upstream.openaiBaseUrl, apiKey: 'sk-1' }, ...providers },
    models: { fast: { targets: ['primary/gpt-4o-mini'] }, ...models },
  };
  writeFileSync(path.join(folder, 'holdfast.config.yaml'), JSON.stringify(file));
  return loadConfiguration({ env: {}, cwd: folder });
}

const backupProvider = () => ({ backup: { kind: 'openai', baseUrl: backup.openaiBaseUrl, apiKey: 'sk-2' } });

function open(clock: Clock = createFakeClock()) {
  const closers = new Closers();
  const failures: unknown[] = [];
  const models = openModels({
    configuration: configured(),
    clock,
    random: createSeededRandom(1),
    closers,
    onCloseFailure: (_part, error) => void failures.push(error),
  });
  onTestFinished(() => closers.closeAll(expect.unreachable));
  const reload = (changes: Changes = {}): void => models.reload.prepare(configured(changes)).commit();
  return { models, reload, failures };
}

const breakerOf = ({ served }: Models, target: string) => served.current.catalog.findBreaker(target);

/** One attempt at a provider, as the layers of a call make it. */
function attempt(generation: ModelGeneration, name: string): Promise<AttemptResult> {
  const { provider, model } = generation.catalog.find(name)!.targets[0]!;
  const sink: AttemptSink = { connected() {}, pulse() {}, head() {}, data: () => true, drained() {} };
  const body = readShallowBody(Buffer.from(JSON.stringify({ model: name, messages: [] })));
  return provider.attempt(
    { operation: 'chat', dialect: 'openai', model, stream: false, body, headers: {}, cancellation: new Cancellation() },
    sink,
  );
}

test('a target that did not change keeps its breaker, of models and of names that pass through', () => {
  const { models, reload } = open();
  models.served.current.catalog.find('primary/passed-through');
  const before = ['primary/gpt-4o-mini', 'primary/passed-through'].map((target) => breakerOf(models, target));
  expect(before).not.toContain(undefined);
  // Twice, since what was not asked for in between must be there as well.
  for (const more of ['one', 'two']) reload({ models: { [more]: { targets: ['primary/other'] } } });
  expect(['primary/gpt-4o-mini', 'primary/passed-through'].map((target) => breakerOf(models, target))).toEqual(before);
  expect(breakerOf(models, 'primary/passed-through')).toBe(before[1]);
});

test.each([
  ['its settings', { models: { fast: { targets: ['primary/gpt-4o-mini'], breaker: { threshold: 2 } } } }],
  ['its provider', { providers: { primary: { kind: 'openai', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-1' } } }],
  ["its provider's key", { providers: { primary: { kind: 'openai', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-9' } } }],
] as const)('a target begins anew when %s changed', (_, changes) => {
  const { models, reload } = open();
  const before = breakerOf(models, 'primary/gpt-4o-mini');
  reload(changes as Changes);
  expect(breakerOf(models, 'primary/gpt-4o-mini')).toBeDefined();
  expect(breakerOf(models, 'primary/gpt-4o-mini')).not.toBe(before);
});

test('a provider that did not change is the same one, with its connections and the turn of its keys', () => {
  const { models, reload } = open();
  const providerOf = (model: string) => models.served.current.catalog.find(model)!.targets[0]!.provider;
  const before = providerOf('fast');
  reload({ providers: backupProvider() });
  expect(providerOf('fast')).toBe(before);
  reload({ providers: { primary: { kind: 'openai', baseUrl: upstream.openaiBaseUrl, apiKey: 'sk-other' } } });
  expect(providerOf('fast')).not.toBe(before);
});

test('what is prepared and not committed changes nothing and leaves nothing', async () => {
  const { models } = open(systemClock);
  const { current } = models.served;
  models.reload.prepare(configured({ providers: backupProvider() })).discard();
  expect(models.served.current).toBe(current);
  await attempt(current, 'fast');
  expect(current.catalog.find('backup/x')).toBeUndefined();
});

test('a call that was begun goes on at a provider that is gone, and may still begin its next attempt there', async () => {
  const { models, reload, failures } = open(systemClock);
  reload({ providers: backupProvider(), models: { fast: { targets: ['backup/gpt-4o'] } } });
  const old = models.served.current;
  old.enter();
  reload();
  await attempt(old, 'fast');
  await attempt(old, 'fast');
  expect(backup.calls.at(-1)!.outcome).toBe('whole');
  old.leave();
  // Nobody holds it any more: its origin is closed.
  await expect(attempt(old, 'fast')).rejects.toMatchObject({ code: 'internal_error' });
  expect(failures).toEqual([]);
});

test('a thousand reloads under calls leave nothing behind: no generation, no timer, no connection', { timeout: 60_000 }, async () => {
  const clock = createFakeClock();
  const { models, reload, failures } = open(clock);
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const generations: WeakRef<object>[] = [];
  const plain = configured();
  const other = configured({
    providers: backupProvider(),
    models: { fast: { targets: ['backup/gpt-4o'] }, more: { targets: ['primary/x'] } },
  });
  let calls = 0;
  for (let round = 0; round < 1_000; round++) {
    const { current } = models.served;
    generations.push(new WeakRef(current), new WeakRef(current.catalog));
    current.catalog.find(`primary/passing-${round % 10}`);
    current.enter();
    models.reload.prepare(round % 2 === 0 ? other : plain).commit();
    if (round % 100 === 99) {
      await attempt(current, 'fast');
      calls++;
    }
    current.leave();
  }
  models.reload.prepare(other).commit();
  const last = models.served.current;
  reload();
  await expect(attempt(last, 'fast'), 'the origin of a provider that is gone is closed').rejects.toMatchObject({ code: 'internal_error' });
  expect([calls, clock.pendingTimers, failures]).toEqual([10, 0, []]);
  await expect.poll(() => [...backup.calls].filter(({ outcome }) => outcome === 'open').length).toBe(0);
  // A WeakRef that was just made or asked lives until the turn ends.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  const alive = generations.filter((each) => each.deref() !== undefined).length;
  // Those of the last rounds may still be held by the frame of this test.
  expect(alive).toBeLessThanOrEqual(6);
});
