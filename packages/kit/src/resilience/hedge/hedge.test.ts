import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../errors/index.ts';
import { createFakeClock, type FakeClock } from '../../testing/index.ts';
import { Cancellation } from '../../time/index.ts';
import { createCallContext, type CallContext } from '../call-context.ts';
import { hedgeFinished, hedgeStarted } from '../events.ts';
import { pause } from '../pause.ts';
import { createHedgeTrigger, hedge, type HedgeOptions } from './index.ts';
import { LatencyWindow } from './latency-window.ts';

/** A target whose answers take as long as told, in the order in which they are asked for. */
function setUp(options: HedgeOptions, answers: readonly (number | readonly [number, Error])[]) {
  const clock = createFakeClock();
  const asked: { at: number; ended?: unknown }[] = [];
  const guarded = hedge({ clock, maxExtraPercent: 100, ...options })(async (context: CallContext) => {
    const index = asked.length;
    const entry: { at: number; ended?: unknown } = { at: clock.monotonic() };
    asked.push(entry);
    const answer = answers[index] ?? 1_000;
    const [delayMs, error] = typeof answer === 'number' ? [answer, undefined] : answer;
    context.cancellation.onCancel((reason) => (entry.ended = reason));
    await pause(clock, delayMs, context.cancellation);
    if (error) throw error;
    return `answer ${index + 1}`;
  });
  const call = (context = createCallContext()) =>
    guarded(context).then(
      (value) => value,
      (error: unknown) => error,
    );
  return { clock, asked, call };
}

const settled = async <T>(clock: FakeClock, run: Promise<T>) => {
  await clock.advanceAsync(5_000);
  expect(clock.pendingTimers).toBe(0);
  return run;
};

describe('a hedged call', () => {
  test('that is quick is one request', async () => {
    const { clock, asked, call } = setUp({ delayMs: 100 }, [99]);
    expect(await settled(clock, call())).toBe('answer 1');
    expect(asked).toHaveLength(1);
  });

  test('that is slow is two, and the loser is cancelled', async () => {
    const { clock, asked, call } = setUp({ delayMs: 100 }, [900, 50]);
    expect(await settled(clock, call())).toBe('answer 2');
    expect(asked.map(({ at }) => at)).toEqual([0, 100]);
    expect(asked[0]!.ended).toMatchObject({ code: 'hedge_lost' });
    expect(asked[1]!.ended).toBeUndefined();
  });

  test('may be won by the first', async () => {
    const { clock, asked, call } = setUp({ delayMs: 100 }, [130, 500]);
    expect(await settled(clock, call())).toBe('answer 1');
    expect(asked[1]!.ended).toMatchObject({ code: 'hedge_lost' });
  });

  test('fails at once when the first fails before the second is sent', async () => {
    const error = new HoldfastError('provider_failed');
    const { clock, asked, call } = setUp({ delayMs: 100 }, [[10, error]]);
    expect(await settled(clock, call())).toBe(error);
    expect(asked).toHaveLength(1);
  });

  test('fails only when both have, with the failure of the first request', async () => {
    const first = new HoldfastError('provider_failed');
    const second = new HoldfastError('provider_overloaded');
    expect(await settled(...run([[150, first], 100]))).toBe('answer 2');
    expect(await settled(...run([120, [10, second]]))).toBe('answer 1');
    expect(
      await settled(
        ...run([
          [150, first],
          [200, second],
        ]),
      ),
    ).toBe(first);
    expect(
      await settled(
        ...run([
          [150, first],
          [10, second],
        ]),
      ),
    ).toBe(first);

    function run(answers: readonly (number | readonly [number, Error])[]): [FakeClock, Promise<unknown>] {
      const { clock, call } = setUp({ delayMs: 100 }, answers);
      return [clock, call()];
    }
  });

  test('that both fail tells what the target said, not that the second request found no room', async () => {
    const error = new HoldfastError('provider_failed');
    const refusal = new HoldfastError('concurrency_limited', { retryAfterSeconds: 1 });
    const { clock, call } = setUp({ delayMs: 100 }, [
      [150, error],
      [1, refusal],
    ]);
    expect(await settled(clock, call())).toBe(error);
  });

  test('is given up whole when the caller gives up', async () => {
    const { clock, asked, call } = setUp({ delayMs: 100 }, [900, 900]);
    const cancellation = new Cancellation();
    const run = call(createCallContext({ cancellation }));
    await clock.advanceAsync(200);
    cancellation.cancel('gone');
    expect(await settled(clock, run)).toBe('gone');
    expect(asked.map(({ ended }) => ended)).toEqual(['gone', 'gone']);
  });

  test('is not begun for a caller who has gone', async () => {
    const { asked, call } = setUp({ delayMs: 100 }, []);
    const cancellation = new Cancellation();
    cancellation.cancel('gone');
    expect(await call(createCallContext({ cancellation }))).toBe('gone');
    expect(asked).toHaveLength(0);
  });

  test('sends no second request that could not answer before the deadline', async () => {
    const { clock, asked, call } = setUp({ delayMs: 100 }, [300]);
    expect(await settled(clock, call(createCallContext({ deadlineAt: 100 })))).toBe('answer 1');
    expect(asked).toHaveLength(1);
  });
});

describe('of two failures', () => {
  const both = (first: Error, second: Error, firstMs = 150, secondMs = 100) => {
    const { clock, call } = setUp({ delayMs: 100 }, [
      [firstMs, first],
      [secondMs, second],
    ]);
    return settled(clock, call());
  };
  const asksFor = (retryAfterSeconds: number) => new HoldfastError('provider_rate_limited', { retryAfterSeconds });

  test('the one that asks for the longer wait is told, whichever came first', async () => {
    const [short, long] = [asksFor(1), asksFor(5)];
    expect([await both(short, long), await both(long, short)]).toEqual([long, long]);
    // The second fails first.
    expect([await both(short, long, 500, 10), await both(long, short, 500, 10)]).toEqual([long, long]);
    const dated = Object.assign(new Error('answered'), {
      status: 503,
      headers: { 'retry-after': new Date(Date.UTC(2026, 0, 2)).toUTCString() },
    });
    expect([await both(long, dated), await both(dated, long)]).toEqual([dated, dated]);
  });

  test('how a request ended that had lost is not told', async () => {
    const clock = createFakeClock();
    let asked = 0;
    const guarded = hedge({ clock, delayMs: 100, maxExtraPercent: 100 })(async (context) => {
      if ((asked += 1) === 1) {
        await pause(clock, 5_000, context.cancellation);
        return;
      }
      context.commit();
      await pause(clock, 10, context.cancellation);
      throw new HoldfastError('stream_cut');
    });
    const run = guarded(createCallContext()).catch((error: unknown) => error);
    expect(await settled(clock, run)).toMatchObject({ code: 'stream_cut' });
  });
});

test('the loser is cancelled when the first part is out, not only when the answer is whole', async () => {
  const clock = createFakeClock();
  const ended: [number, unknown][] = [];
  let asked = 0;
  const guarded = hedge({ clock, delayMs: 100, maxExtraPercent: 100 })(async (context) => {
    const first = (asked += 1) === 1;
    context.cancellation.onCancel((reason) => ended.push([clock.monotonic(), (reason as HoldfastError).code]));
    await pause(clock, first ? 3_000 : 50, context.cancellation);
    context.commit();
    await pause(clock, 1_000, context.cancellation);
    return first ? 'first' : 'second';
  });
  // As the second request of a race further out: the numbers of racers go on from its own.
  const parent = createCallContext().withCancellation(new Cancellation(), undefined, 1);
  expect(await settled(clock, guarded(parent))).toBe('second');
  expect(ended).toEqual([[150, 'hedge_lost']]);
});

test('nothing is left with the caller when the race is over', async () => {
  let listeners = 0;
  class Counted extends Cancellation {
    override onCancel(listener: (reason: unknown) => void): () => void {
      listeners += 1;
      const end = super.onCancel(listener);
      return () => {
        listeners -= 1;
        end();
      };
    }
  }
  const { clock, call } = setUp({ delayMs: 100 }, [900, 50]);
  const run = call(createCallContext({ cancellation: new Counted() }));
  expect(listeners).toBe(1);
  await settled(clock, run);
  expect(listeners).toBe(0);
});

test('a race that is no single promise asks the trigger when, and whether it may', () => {
  const trigger = createHedgeTrigger({ minSamples: 2, maxExtraPercent: 50, minDelayMs: 30 });
  expect([trigger.begin(), trigger.tryTake()]).toEqual([undefined, false]);
  trigger.record(10);
  trigger.record(10);
  expect([trigger.begin(), trigger.tryTake(), trigger.tryTake()]).toEqual([30, true, false]);
  expect([createHedgeTrigger({ delayMs: 70 }).begin(), createHedgeTrigger().begin()]).toEqual([70, undefined]);
});

test('a percentile is brought up to date with every eighth of its samples', () => {
  const window = new LatencyWindow(16, 100, 1);
  window.record(1);
  expect(window.value).toBe(1);
  window.record(5);
  expect(window.value).toBe(1);
  window.record(3);
  expect(window.value).toBe(5);
});

describe('the answer of a hedged call', () => {
  /** Streams: the first part is out after `firstPartMs`, the whole after twice that. */
  function stream(firstPartMs: readonly number[]) {
    const clock = createFakeClock();
    const parts: string[] = [];
    let asked = 0;
    const guarded = hedge({ clock, delayMs: 100, maxExtraPercent: 100 })(async (context) => {
      const name = `stream ${(asked += 1)}`;
      const delayMs = firstPartMs[asked - 1]!;
      await pause(clock, delayMs, context.cancellation);
      if (!context.commit()) return `${name} came second`;
      parts.push(name);
      await pause(clock, delayMs, context.cancellation);
      return name;
    });
    return { clock, parts, asked: () => asked, run: () => guarded(createCallContext()) };
  }

  test('is that of whose first part is out, however long the rest takes', async () => {
    const { clock, parts, run } = stream([300, 150]);
    expect(await settled(clock, run())).toBe('stream 2');
    expect(parts).toEqual(['stream 2']);
  });

  test('is not raced once its first part is out', async () => {
    const { clock, asked, run } = stream([90, 1]);
    expect(await settled(clock, run())).toBe('stream 1');
    expect(asked()).toBe(1);
  });

  test('is that of whose first part is out, also when the loser does not listen and is through first', async () => {
    const clock = createFakeClock();
    let asked = 0;
    const guarded = hedge({ clock, delayMs: 100, maxExtraPercent: 100 })(async (context) => {
      const first = (asked += 1) === 1;
      await pause(clock, first ? 150 : 200, createCallContext().cancellation);
      if (!context.commit()) return 'loser';
      await pause(clock, 1_000, context.cancellation);
      return 'winner';
    });
    expect(await settled(clock, guarded(createCallContext()))).toBe('winner');
    expect(asked).toBe(2);
  });

  test('fails at once when it breaks off, whatever a loser that does not listen still does', async () => {
    const { clock, run, failedAt } = breaking();
    await settled(clock, run);
    expect(failedAt()).toBe(160);

    function breaking() {
      const clock = createFakeClock();
      let asked = 0;
      let at: number | undefined;
      const guarded = hedge({ clock, delayMs: 100, maxExtraPercent: 100 })(async (context) => {
        const first = (asked += 1) === 1;
        await pause(clock, first ? 150 : 3_000, createCallContext().cancellation);
        context.commit();
        await pause(clock, 10, context.cancellation);
        throw new HoldfastError('stream_cut');
      });
      const run = guarded(createCallContext()).catch(() => (at = clock.monotonic()));
      return { clock, run, failedAt: () => at };
    }
  });

  test('is of one, also when both have a part in the same moment', async () => {
    const { clock, parts, run } = stream([200, 100]);
    expect(await settled(clock, run())).toBe(parts[0]);
    expect(parts).toHaveLength(1);
  });
});

describe('the delay', () => {
  test('is the percentile of what was seen, once enough was', async () => {
    const { clock, asked, call } = setUp({ minSamples: 20, maxExtraPercent: 5 }, [
      ...Array.from({ length: 20 }, (_, at) => (at + 1) * 10),
      5_000,
    ]);
    for (let at = 0; at < 20; at++) await settled(clock, call());
    const startedAt = clock.monotonic();
    await settled(clock, call());
    // Nineteen of twenty took at most 190 ms.
    expect(asked.map(({ at }) => at - startedAt).slice(20)).toEqual([0, 190]);
  });

  test('is none before', async () => {
    const { clock, asked, call } = setUp(
      { minSamples: 20 },
      Array.from({ length: 20 }, () => 3_000),
    );
    for (let at = 0; at < 19; at++) await settled(clock, call());
    expect(asked).toHaveLength(19);
  });

  test('is that of the first part, however long answers go on', async () => {
    const clock = createFakeClock();
    const asked: number[] = [];
    let firstPartMs = 40;
    const guarded = hedge({ clock, minSamples: 5, maxExtraPercent: 100 })(async (context) => {
      asked.push(clock.monotonic());
      await pause(clock, firstPartMs, context.cancellation);
      context.commit();
      await pause(clock, 900, context.cancellation);
    });
    for (let at = 0; at < 5; at++) await settled(clock, guarded(createCallContext()));
    expect(asked).toHaveLength(5);
    firstPartMs = 300;
    await settled(clock, guarded(createCallContext()));
    expect(asked.slice(5)).toHaveLength(2);
    expect(asked[6]! - asked[5]!).toBe(40);
  });

  test('counts a call that the second won as long as it took, so that it does not shrink from call to call', async () => {
    const { clock, asked, call } = setUp({ minSamples: 1, sampleCount: 1 }, [100, 900, 10, 900, 10]);
    for (let at = 0; at < 3; at++) await settled(clock, call());
    const delays = [asked[2]!.at - asked[1]!.at, asked[4]!.at - asked[3]!.at];
    expect(delays).toEqual([100, 110]);
  });
});

test('second requests are never more than their share of the calls', async () => {
  const { clock, asked, call } = setUp({ delayMs: 10, maxExtraPercent: 5 }, []);
  for (let calls = 1; calls <= 200; calls++) {
    await settled(clock, call());
    expect(asked.length - calls).toBeLessThanOrEqual(calls / 20);
  }
  expect(asked).toHaveLength(210);
});

test('a quiet time saves up ten second requests and no more', async () => {
  const answers = Array.from({ length: 400 }, () => 1);
  const { clock, asked, call } = setUp({ delayMs: 10, maxExtraPercent: 5 }, answers);
  for (let at = 0; at < 400; at++) await settled(clock, call());
  for (let at = 0; at < 15; at++) await settled(clock, call());
  expect(asked).toHaveLength(415 + 10);
});

test('announces the second request and who won', async () => {
  const seen: unknown[] = [];
  onTestFinished(hedgeStarted.subscribe((message) => void seen.push(message)));
  onTestFinished(hedgeFinished.subscribe((message) => void seen.push(message)));
  const error = new HoldfastError('provider_failed');
  for (const answers of [
    [50],
    [900, 50],
    [150, 900],
    [
      [150, error],
      [100, error],
    ],
  ] as const) {
    const { clock, call } = setUp({ name: 'search', delayMs: 100 }, answers as never);
    await settled(clock, call());
  }
  const started = { name: 'search', afterMs: 100 };
  expect(seen).toEqual([
    started,
    { name: 'search', winner: 'second' },
    started,
    { name: 'search', winner: 'first' },
    started,
    { name: 'search', winner: undefined },
  ]);
});

test('a percentile is by nearest rank over the latest samples', () => {
  const window = new LatencyWindow(8, 50, 2);
  expect(window.value).toBeUndefined();
  window.record(10);
  expect(window.value).toBeUndefined();
  window.record(30);
  expect(window.value).toBe(10);
  for (const latency of [100, 200, 300, 400, 500, 600, 700, 800]) window.record(latency);
  expect(window.value).toBe(400);
  expect(new LatencyWindow(4, 0, 1).value).toBeUndefined();
  const lowest = new LatencyWindow(4, 0, 1);
  lowest.record(7);
  lowest.record(3);
  expect(lowest.value).toBe(3);
});
