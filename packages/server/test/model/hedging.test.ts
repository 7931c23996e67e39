import { HoldfastError } from '@holdfast/kit/errors';
import { attemptFailed, type AttemptFailed } from '@holdfast/kit/llm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { scriptedModels, type ScriptedCall, type TargetScript } from './scripted-models.ts';

const hedge = { minSamples: 5, maxExtraPercent: 100 };
/** One nano-dollar for a token that goes in, ten for one that comes out. */
const pricing = {
  costNanoUsd: ({ usage }: { readonly usage: { readonly promptTokens: number; readonly completionTokens: number } }) =>
    usage.promptTokens + 10 * usage.completionTokens,
};
const usage = {
  promptTokens: 7,
  completionTokens: 3,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  source: 'provider',
} as const;

/** A model that has learnt that its first target answers after 10 ms, and behaves as told from now on. */
async function learnt(
  stream: boolean,
  targets: Record<string, TargetScript | readonly TargetScript[]>,
  definition: Parameters<typeof scriptedModels>[0] = {},
) {
  const models = scriptedModels({ hedge, ...definition }, Object.fromEntries(Object.keys(targets).map((name) => [name, {}])));
  for (let at = 0; at < 5; at++) await models.run({ stream });
  models.asked.length = 0;
  for (const [name, script] of Object.entries(targets)) models.script(name, script);
  const startedAt = models.clock.monotonic();
  return { ...models, askedAt: () => models.asked.map(({ target, at }) => [target, at - startedAt]) };
}

/** By target: a loser of a plain answer ends after the winner, one of a stream before it. */
const attemptsOf = ({ call }: ScriptedCall) =>
  call.record.attempts
    .toSorted((one, other) => one.provider.localeCompare(other.provider))
    .map(({ provider, outcome, error_code }) => [provider, outcome, error_code]);

describe.each([
  ['a stream', true],
  ['a plain answer', false],
] as const)('%s that is late', (_kind, stream) => {
  test('is asked of the next target too; the loser is cancelled, written down, and in the cost of the call', async () => {
    const { run, asked, askedAt } = await learnt(stream, { a: { firstMs: 5_000 }, b: { firstMs: 20, usage } });
    const done = await run({ stream, pricing });
    expect(await done.done).toBe('completed');
    expect(done.bytes()).toBe(stream ? 'b begins;b ends' : 'b ends');
    expect(askedAt()).toEqual([
      ['a', 0],
      ['b', 10],
    ]);
    expect(asked[0]!.cancelled).toMatchObject({ code: 'hedge_lost' });
    expect(attemptsOf(done)).toEqual([
      ['a', 'cancelled', 'hedge_lost'],
      ['b', 'completed', null],
    ]);
    const { record } = done.call;
    expect(record).toMatchObject({ provider: 'b', targetModel: 'b1', attemptsMade: 2, attemptsUnderWay: 0 });
    const loser = record.attempts.find(({ provider }) => provider === 'a')!;
    // Four characters a token, over all the text of the body.
    expect(loser.extra).toMatchObject({ costNanoUsd: 101, usage: { promptTokens: 101, completionTokens: 0, source: 'estimated' } });
    expect(record.settled).toMatchObject({ outcome: 'completed', usage, costNanoUsd: 7 + 30 + 101 });
    // The time of both together, once.
    expect(record.providerMs).toBe(30);
  });

  test('may still be won by the first, which is then who served', async () => {
    const { run } = await learnt(stream, { a: { firstMs: 25 }, b: { firstMs: 9_000 } });
    const done = await run({ stream });
    expect(done.bytes()).toContain('a ends');
    expect(done.bytes()).not.toContain('b ');
    expect(done.call.record).toMatchObject({ provider: 'a', targetModel: 'a1', sent: true });
    expect(attemptsOf(done)).toEqual([
      ['a', 'completed', null],
      ['b', 'cancelled', 'hedge_lost'],
    ]);
  });

  test('names the winner, and gives nothing of a loser that does not hear that it has lost', async () => {
    const { run, clock } = await learnt(stream, { a: { firstMs: 40, deaf: true }, b: { firstMs: 20, restMs: 100 } });
    const done = await run({ stream });
    await clock.advanceAsync(1_000);
    expect(done.bytes()).not.toContain('a ');
    expect(done.call.record).toMatchObject({ provider: 'b', attemptsUnderWay: 0, waitedForHeadMs: stream ? 30 : undefined });
    expect(attemptsOf(done)).toHaveLength(2);
  });

  test('fails over when the first fails after all, and the failure is announced', async () => {
    const seen: AttemptFailed[] = [];
    onTestFinished(attemptFailed.subscribe((event) => void seen.push(event)));
    const { run } = await learnt(stream, { a: { firstMs: 15, fails: 'provider_failed' }, b: { firstMs: 100 } });
    const done = await run({ stream });
    expect(done.call.record).toMatchObject({ provider: 'b' });
    expect(attemptsOf(done)).toEqual([
      ['a', 'failed', 'provider_failed'],
      ['b', 'completed', null],
    ]);
    expect(seen.map(({ target, error }) => [target, error.code])).toEqual([['a/a1', 'provider_failed']]);
  });

  test('that the spare finds faulty is refused in the name of the spare', async () => {
    const { run } = await learnt(stream, { a: { firstMs: 500 }, b: { fails: 'content_filtered' } });
    const done = await run({ stream });
    expect(await done.done).toBe('content_filtered');
    expect(done.call.record).toMatchObject({ provider: 'b', targetModel: 'b1' });
    expect(attemptsOf(done)).toEqual([
      ['a', 'cancelled', 'hedge_lost'],
      ['b', 'failed', 'content_filtered'],
    ]);
  });

  test('goes on to the third target when both fail', async () => {
    const { run } = await learnt(stream, {
      a: { firstMs: 15, fails: 'provider_failed' },
      b: { firstMs: 5, fails: 'provider_overloaded' },
      c: {},
    });
    const done = await run({ stream });
    expect(await done.done).toBe('completed');
    expect(done.call.record.provider).toBe('c');
  });

  test('whose client leaves is stopped at both, and both are in its cost', async () => {
    const { start, clock, asked } = await learnt(stream, { a: { firstMs: 9_000 }, b: { firstMs: 9_000 } });
    const call = start({ stream, pricing });
    await clock.advanceAsync(100);
    const gone = new HoldfastError('client_closed');
    call.call.context.cancellation.cancel(gone);
    await clock.advanceAsync(0);
    expect(call.outcome()).toBe('client_closed');
    expect(asked.map(({ cancelled }) => (cancelled as HoldfastError).code)).toEqual(['client_closed', 'client_closed']);
    expect(attemptsOf(call)).toEqual([
      ['a', 'aborted', 'client_closed'],
      ['b', 'aborted', 'client_closed'],
    ]);
    expect(call.call.record.settled).toMatchObject({ outcome: 'aborted', costNanoUsd: 202 });
    expect(clock.pendingTimers).toBe(0);
  });
});

test('a winner that breaks off unseen is begun again, and nobody sees that there were three', async () => {
  const definition = { holdBackMs: 200, retry: { attempts: 2, firstDelayMs: 10, jitter: 'none' } } as const;
  const { run, asked } = await learnt(
    true,
    { a: [...Array.from({ length: 5 }, () => ({})), { firstMs: 5_000 }, { firstMs: 9 }], b: { restMs: 50, breaks: 'stream_cut' } },
    definition,
  );
  const done = await run({ pricing });
  expect(done.bytes()).toBe('a begins;a ends');
  expect(asked.map(({ target }) => target)).toEqual(['a', 'b', 'a']);
  expect(done.call.record).toMatchObject({ provider: 'a', attemptsMade: 3, attemptsUnderWay: 0 });
  expect(done.call.record.attempts.map(({ provider, outcome }) => [provider, outcome])).toEqual([
    ['a', 'cancelled'],
    ['b', 'failed'],
    ['a', 'completed'],
  ]);
});

test('a winner that breaks off before the eyes of the client ends the call', async () => {
  const { run, asked } = await learnt(true, { a: { firstMs: 5_000 }, b: { restMs: 50, breaks: 'stream_cut' } }, { retry: { attempts: 3 } });
  const done = await run();
  expect(done.outcome()).toBe('stream_cut');
  expect(done.bytes()).toBe('b begins;');
  expect(asked.map(({ target }) => target)).toEqual(['a', 'b']);
  expect(done.call.record.provider).toBe('b');
});

test('an attempt that failed by itself is not paid for, raced or not', async () => {
  const { run } = await learnt(true, { a: { firstMs: 15, fails: 'first_token_timeout' }, b: { firstMs: 30, usage } });
  const done = await run({ pricing });
  expect(done.call.record.attempts.map(({ outcome, extra }) => [outcome, extra])).toEqual([
    ['failed', undefined],
    ['completed', undefined],
  ]);
  expect(done.call.record.settled).toMatchObject({ outcome: 'completed', costNanoUsd: 37 });
});

test('a loser whose price is not known makes the cost of the call unknown', async () => {
  const { run } = await learnt(true, { a: { firstMs: 5_000 }, b: { usage } });
  const done = await run({ pricing: { costNanoUsd: ({ model }) => (model === 'b1' ? 1 : null) } });
  expect(done.call.record.settled).toMatchObject({ outcome: 'completed', costNanoUsd: null });
});

test('no breaker counts losers', async () => {
  const { run, script, catalog } = await learnt(true, { a: { firstMs: 5_000 }, b: {} });
  for (let at = 0; at < 10; at++) await run();
  expect(catalog().findBreaker('a/a1')!.status()).toMatchObject({ state: 'closed', failures: 0 });
  expect(catalog().findBreaker('b/b1')!.status()).toMatchObject({ state: 'closed', failures: 0 });
  script('a', {});
  expect((await run()).call.record.provider).toBe('a');
});

test('a target with an open breaker is no spare, and a probe is no task of a second attempt', async () => {
  const { run, catalog, asked, clock } = await learnt(true, { a: { firstMs: 500 }, b: {}, c: {} });
  await catalog().findBreaker('b/b1')!.open({ recoveryMs: 1_000 });
  await run();
  expect(asked.map(({ target }) => target)).toEqual(['a', 'c']);
  asked.length = 0;
  clock.advance(2_000);
  expect(catalog().findBreaker('b/b1')!.state).toBe('half_open');
  await run();
  expect(asked.map(({ target }) => target)).toEqual(['a', 'c']);
});

test('with a single target the second attempt goes there once more', async () => {
  const { run, asked } = await learnt(true, { a: [{}, {}, {}, {}, {}, { firstMs: 5_000 }, { firstMs: 10 }] });
  const done = await run();
  expect(asked.map(({ target }) => target)).toEqual(['a', 'a']);
  expect(asked[0]!.cancelled).toMatchObject({ code: 'hedge_lost' });
  expect(done.outcome()).toBe('completed');
});

test('a second attempt takes a free slot of its target, and waits for none', async () => {
  const guards = { bulkhead: { maxConcurrent: 1, maxQueued: 10 } };
  const { run, asked } = await learnt(true, { a: [{}, {}, {}, {}, {}, { firstMs: 500, fails: 'provider_failed' }, {}] }, { guards });
  const done = await run();
  // In line, it would have had its turn once the first one's slot was free.
  expect(asked.map(({ target }) => target)).toEqual(['a']);
  expect(done.outcome()).toBe('provider_failed');
});

test('the last of several targets that are left has no second attempt', async () => {
  const { run, asked } = await learnt(
    true,
    { a: { firstMs: 1, fails: 'provider_failed' }, b: { firstMs: 500 } },
    { guards: { breaker: { enabled: false } } },
  );
  for (let at = 0; at < 6; at++) await run();
  asked.length = 0;
  await run();
  expect(asked.map(({ target }) => target)).toEqual(['a', 'b']);
});

test('what is usual is kept when the configuration is read anew', async () => {
  const { run, reload, asked } = await learnt(true, { a: { firstMs: 500 }, b: {} });
  reload();
  await run();
  expect(asked.map(({ target }) => target)).toEqual(['a', 'b']);
});

test('a strategy hears how long a loser was waited for, and of the winner', async () => {
  const definition = { strategy: 'latency', hedge: { ...hedge, minSamples: 1 } } as const;
  const models = await learnt(true, { a: { firstMs: 5_000 }, b: { firstMs: 9 } }, definition);
  const lost = [];
  for (let at = 0; at < 20; at++) lost.push(...(await models.run()).call.record.attempts.filter(({ outcome }) => outcome === 'cancelled'));
  expect(lost).toMatchObject([{ provider: 'a' }]);
  models.asked.length = 0;
  for (let at = 0; at < 5; at++) await models.run();
  expect(models.asked.map(({ target }) => target)).toEqual(['b', 'b', 'b', 'b', 'b']);

  // None of them is counted as waiting any more: by then it would weigh more than anything that was ever seen.
  const { call } = await models.run();
  models.clock.advance(10_000_000);
  const { routing, targets } = models.catalog().find('m')!;
  for (const target of targets) expect((routing.latencyOf(target, call) as unknown as { load(): number }).load()).toBeLessThan(10_000);
});

test('without hedging no attempt is ever raced', async () => {
  const models = scriptedModels({}, { a: {}, b: {} });
  for (let at = 0; at < 30; at++) await models.run();
  models.script('a', { firstMs: 9_000 });
  models.asked.length = 0;
  await models.run();
  expect(models.asked.map(({ target }) => target)).toEqual(['a']);
});
