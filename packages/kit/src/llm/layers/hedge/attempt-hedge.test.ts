import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../../errors/index.ts';
import { hedgeFinished, hedgeStarted } from '../../../resilience/index.ts';
import { createFakeClock } from '../../../testing/index.ts';
import { Cancellation } from '../../../time/index.ts';
import { readShallowBody, type AttemptHead, type AttemptRequest, type AttemptResult, type AttemptSink } from '../../spec/index.ts';
import { attemptHedge, type AttemptHedgeOptions } from './index.ts';

const body = readShallowBody(Buffer.from('{}'));
const result = (name: string): AttemptResult => ({
  head: { headers: {} },
  tail: Buffer.from(name),
  usage: undefined,
  finishReason: 'stop',
  servedModel: undefined,
  outputBytes: 0,
});

/** After how long an attempt gives its first event and how long it goes on from there, or fails. */
interface Script {
  readonly firstMs: number;
  readonly restMs?: number;
  readonly error?: Error;
  /** Goes on when it is cancelled, as a provider must not. */
  readonly deaf?: boolean;
}

function setUp(options: Partial<AttemptHedgeOptions> = {}) {
  const clock = createFakeClock();
  let scripts: Script[] = [];
  /** `ended`: with what it was cancelled; `over`: it has come to its own end, or heeded that. */
  const asked: { target: string; at: number; ended: unknown; over: boolean }[] = [];
  const hedge = attemptHedge({ clock, name: 'fast', minSamples: 3, maxExtraPercent: 100, ...options });

  const target = (name: string) => (request: AttemptRequest, sink: AttemptSink) => {
    const script = scripts.shift() ?? { firstMs: 10 };
    const entry = { target: name, at: clock.monotonic(), ended: undefined as unknown, over: false };
    asked.push(entry);
    return new Promise<AttemptResult>((settle, refuse) => {
      const resolve = (value: AttemptResult) => {
        entry.over = true;
        settle(value);
      };
      const reject = (reason: unknown) => {
        entry.over = true;
        refuse(reason);
      };
      const id = `${name}${asked.length}`;
      request.cancellation.onCancel((reason) => {
        entry.ended = reason;
        if (!script.deaf) {
          entry.over = true;
          reject(reason);
        }
      });
      sink.connected();
      clock.setTimeout(() => {
        if (entry.over) return;
        if (script.error && script.restMs === undefined) return reject(script.error);
        if (!request.stream) return resolve(result(id));
        sink.head({ headers: { from: id } });
        sink.data(Buffer.from(`${id};`));
        clock.setTimeout(() => {
          if (entry.over) return;
          sink.data(Buffer.from(`${id} again;`));
          if (script.error) reject(script.error);
          else resolve(result(id));
        }, script.restMs ?? 0);
      }, script.firstMs);
    });
  };
  const first = target('a');
  const second = target('b');

  function call(stream: boolean, given: { spare?: typeof first | undefined; cancellation?: Cancellation; deadlineAt?: number } = {}) {
    const spare = 'spare' in given ? given.spare : second;
    const out = { heads: [] as AttemptHead[], bytes: '', connected: 0 };
    const sink: AttemptSink = {
      connected: () => void out.connected++,
      pulse() {},
      head: (head) => void out.heads.push(head),
      data: (bytes) => {
        out.bytes += bytes.toString();
        return true;
      },
      drained() {},
    };
    const { cancellation = new Cancellation(), deadlineAt } = given;
    const outcome = hedge(first, () => spare)(
      {
        operation: 'chat',
        dialect: 'openai',
        model: 'm',
        stream,
        body,
        headers: {},
        cancellation,
        ...(deadlineAt !== undefined && { deadlineAt }),
      },
      sink,
    ).then(
      ({ tail }) => tail.toString(),
      (error: unknown) => error,
    );
    return { out, outcome };
  }

  /** How the attempts to come behave, in the order in which they are made; what was left of the plan before is forgotten. */
  function plan(...next: Script[]): void {
    scripts = next;
    asked.length = 0;
  }

  /** Three quick calls, so that it is known that the first event comes after 10 ms. */
  async function learn(stream: boolean): Promise<void> {
    for (let at = 0; at < 3; at++) {
      const { outcome } = call(stream);
      await clock.advanceAsync(5_000);
      await outcome;
    }
    expect(asked).toHaveLength(3);
    plan();
  }
  return { clock, plan, asked, call, learn, first };
}

async function settled<T>(clock: ReturnType<typeof createFakeClock>, outcome: Promise<T>): Promise<T> {
  await clock.advanceAsync(60_000);
  expect(clock.pendingTimers).toBe(0);
  return outcome;
}

describe.each([
  ['a stream', true],
  ['a plain answer', false],
] as const)('%s', (_kind, stream) => {
  test('that comes when it mostly does is one attempt', async () => {
    const { clock, plan, asked, call, learn } = setUp();
    await learn(stream);
    plan({ firstMs: 9, restMs: 40_000 });
    expect(await settled(clock, call(stream).outcome)).toBe('a1');
    expect(asked).toHaveLength(1);
  });

  test('that is late is asked of the spare too; the first to have something is the answer and the other ends in that moment', async () => {
    const { clock, plan, asked, call, learn } = setUp();
    await learn(stream);
    plan({ firstMs: 5_000 }, { firstMs: 30, restMs: 500 });
    const { out, outcome } = call(stream);
    const beganAt = clock.monotonic();
    await clock.advanceAsync(39);
    expect(asked.map(({ target, at }) => [target, at - beganAt])).toEqual([
      ['a', 0],
      ['b', 10],
    ]);
    expect(asked[0]!.ended).toBeUndefined();
    await clock.advanceAsync(1);
    expect(asked[0]!.ended).toMatchObject({ code: 'hedge_lost' });
    expect(await settled(clock, outcome)).toBe('b2');
    expect(asked[1]!.ended).toBeUndefined();
    expect(out).toEqual({ heads: stream ? [{ headers: { from: 'b2' } }] : [], bytes: stream ? 'b2;b2 again;' : '', connected: 1 });
  });

  test('may be won by the first all the same', async () => {
    const { clock, plan, asked, call, learn } = setUp();
    await learn(stream);
    plan({ firstMs: 20, restMs: 100 }, { firstMs: 500 });
    const { out, outcome } = call(stream);
    expect(await settled(clock, outcome)).toBe('a1');
    expect(asked[1]!.ended).toMatchObject({ code: 'hedge_lost' });
    expect(out.bytes).not.toContain('b2');
  });

  test('not a byte of the loser gets out, even when it does not hear that it has lost', async () => {
    const { clock, plan, call, learn } = setUp();
    await learn(stream);
    plan({ firstMs: 25, restMs: 5, deaf: true }, { firstMs: 10, restMs: 200 });
    const { out, outcome } = call(stream);
    expect(await settled(clock, outcome)).toBe('b2');
    expect(out.bytes).not.toContain('a1');
    expect(out.heads).toHaveLength(stream ? 1 : 0);
  });

  test('fails at once when the first fails before the second is due', async () => {
    const { clock, plan, asked, call, learn } = setUp();
    await learn(stream);
    const error = new HoldfastError('provider_failed');
    plan({ firstMs: 5, error });
    expect(await settled(clock, call(stream).outcome)).toBe(error);
    expect(asked).toHaveLength(1);
  });

  test('outlives the failure of either, and fails with that of the first when both fail', async () => {
    const { clock, plan, call, learn } = setUp();
    await learn(stream);
    const first = new HoldfastError('provider_failed');
    const second = new HoldfastError('provider_rate_limited', { retryAfterSeconds: 60 });
    for (const [a, b, expected] of [
      [{ firstMs: 20, error: first }, { firstMs: 50 }, 'b2'],
      [{ firstMs: 90 }, { firstMs: 5, error: second }, 'a1'],
      [{ firstMs: 20, error: first }, { firstMs: 50, error: second }, first],
      [{ firstMs: 90, error: first }, { firstMs: 5, error: second }, first],
    ] as const) {
      plan(a, b);
      expect(await settled(clock, call(stream).outcome)).toBe(expected);
    }
  });

  test('of two failures of one target, the one that asks for the longer wait is told', async () => {
    const { clock, plan, call, learn, first } = setUp();
    await learn(stream);
    const short = new HoldfastError('provider_rate_limited', { retryAfterSeconds: 1 });
    const long = new HoldfastError('provider_rate_limited', { retryAfterSeconds: 60 });
    const refusal = new HoldfastError('concurrency_limited', { retryAfterSeconds: 100 });
    for (const [a, b] of [
      [short, long],
      [long, short],
      // That there was no room for a second attempt is no word of the target.
      [long, refusal],
    ] as const) {
      plan({ firstMs: 90, error: a }, { firstMs: 5, error: b });
      expect(await settled(clock, call(stream, { spare: first }).outcome)).toBe(long);
    }
  });

  test('ends when one target says that the request is at fault: the other is not waited for', async () => {
    const { clock, plan, asked, call, learn } = setUp();
    await learn(stream);
    const error = new HoldfastError('content_filtered');
    plan({ firstMs: 9_000 }, { firstMs: 5, error });
    const { outcome } = call(stream);
    let told: unknown;
    void outcome.then((each) => (told = each));
    await clock.advanceAsync(16);
    expect(told).toBe(error);
    expect(asked[0]!.ended).toMatchObject({ code: 'hedge_lost' });
    await settled(clock, outcome);
  });

  test('that the caller gives up is given up at both targets, and ends when both have', async () => {
    const { clock, plan, asked, call, learn } = setUp();
    await learn(stream);
    plan({ firstMs: 9_000 }, { firstMs: 9_000 });
    const cancellation = new Cancellation();
    const { out, outcome } = call(stream, { cancellation });
    await clock.advanceAsync(50);
    const gone = new HoldfastError('client_closed');
    cancellation.cancel(gone);
    expect(await settled(clock, outcome)).toBe(gone);
    expect(asked.map(({ ended }) => ended)).toEqual([gone, gone]);
    expect(out.bytes).toBe('');
  });

  test('has no second attempt that could not answer before the deadline, nor one that nobody can take', async () => {
    const { clock, plan, asked, call, learn } = setUp();
    await learn(stream);
    plan({ firstMs: 100 });
    await settled(clock, call(stream, { deadlineAt: clock.monotonic() + 10 }).outcome);
    plan({ firstMs: 100 });
    await settled(clock, call(stream, { spare: undefined }).outcome);
    expect(asked).toHaveLength(1);
  });
});

describe('what is usual', () => {
  test('is learnt for streams and for plain answers apart', async () => {
    const { clock, plan, asked, call, learn } = setUp();
    await learn(true);
    plan({ firstMs: 500 });
    await settled(clock, call(false).outcome);
    expect(asked).toHaveLength(1);
  });

  test('is unknown until there are enough samples', async () => {
    const { clock, plan, asked, call } = setUp({ minSamples: 20 });
    for (let at = 0; at < 20; at++) {
      plan({ firstMs: 500 });
      await settled(clock, call(true).outcome);
      expect(asked).toHaveLength(1);
    }
    plan({ firstMs: 501 });
    await settled(clock, call(true).outcome);
    expect(asked).toHaveLength(2);
  });
});

test('second attempts are never more than their share of the calls', async () => {
  const { clock, plan, asked, call } = setUp({ delayMs: 10, maxExtraPercent: 5 });
  let extra = 0;
  for (let calls = 1; calls <= 100; calls++) {
    plan({ firstMs: 500 });
    await settled(clock, call(true).outcome);
    extra += asked.length - 1;
    expect(extra).toBeLessThanOrEqual(calls / 20);
  }
  expect(extra).toBe(5);
});

test('announces second attempts and who won', async () => {
  const seen: unknown[] = [];
  onTestFinished(hedgeStarted.subscribe((message) => void seen.push(message)));
  onTestFinished(hedgeFinished.subscribe((message) => void seen.push(message)));
  const { clock, plan, call, learn } = setUp();
  await learn(true);
  expect(seen).toEqual([]);
  const error = new HoldfastError('provider_failed');
  for (const scripts of [
    [{ firstMs: 15 }, { firstMs: 50 }],
    [{ firstMs: 900 }, { firstMs: 50, restMs: 10, error }],
    [
      { firstMs: 50, error },
      { firstMs: 50, error },
    ],
  ]) {
    plan(...scripts);
    await settled(clock, call(true).outcome);
  }
  const started = { name: 'fast', afterMs: 10 };
  expect(seen).toEqual([
    started,
    { name: 'fast', winner: 'first' },
    started,
    { name: 'fast', winner: 'second' },
    started,
    { name: 'fast', winner: undefined },
  ]);
});

test('numbers out of range are refused when it is made', () => {
  expect(() => attemptHedge({ clock: createFakeClock(), name: 'm', afterPercentile: 101 })).toThrow(/afterPercentile/);
});

describe('over random targets, failures and callers who leave', () => {
  const script = fc.record({
    firstMs: fc.nat(300),
    restMs: fc.nat(300),
    fails: fc.constantFrom(undefined, undefined, 'provider_failed', 'provider_rate_limited', 'content_filtered', 'stream_cut'),
    deaf: fc.boolean(),
  });
  const plannedCall = fc.record({
    first: script,
    second: script,
    stream: fc.boolean(),
    leavesAfterMs: fc.option(fc.nat(600)),
    gapMs: fc.nat(200),
  });

  test('an answer is of one attempt, nothing is left running or waiting, and second attempts keep to their share', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plannedCall, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 100 }),
        async (calls, maxExtraPercent) => {
          const { clock, plan, asked, call } = setUp({ delayMs: 100, maxExtraPercent });
          let extra = 0;
          for (const [at, { first, second, stream, leavesAfterMs, gapMs }] of calls.entries()) {
            plan(...[first, second].map(({ fails, ...rest }) => ({ ...rest, ...(fails && { error: new HoldfastError(fails) }) })));
            const cancellation = new Cancellation();
            const { out, outcome } = call(stream, { cancellation });
            let ended: unknown;
            let running = 0;
            const countRunning = () => (running += asked.filter((each) => !each.over && each.ended === undefined).length);
            void outcome.then((value) => {
              ended = value;
              countRunning();
            });
            // In that moment, also where a target does not heed it.
            cancellation.onCancel(countRunning);
            // Whoever goes after the end goes from nothing.
            if (leavesAfterMs !== null)
              clock.setTimeout(() => ended === undefined && cancellation.cancel(new HoldfastError('client_closed')), leavesAfterMs);
            await clock.advanceAsync(1_000);
            const told = await outcome;

            expect(running).toBe(0);
            const sources = new Set([...out.bytes.matchAll(/[ab]\d/g)].map(([id]) => id));
            expect(sources.size).toBeLessThanOrEqual(1);
            expect(out.heads.length).toBeLessThanOrEqual(1);
            if (typeof told === 'string') {
              // Whole, and all of it from who ended it.
              expect(out.bytes).toBe(stream ? `${told};${told} again;` : '');
            } else {
              expect(told).toBeInstanceOf(HoldfastError);
              expect((told as HoldfastError).code).not.toBe('hedge_lost');
            }
            extra += asked.length - 1;
            expect(extra).toBeLessThanOrEqual(((at + 1) * maxExtraPercent) / 100 + 1e-6);
            expect(clock.pendingTimers).toBe(0);
            clock.advance(gapMs);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
