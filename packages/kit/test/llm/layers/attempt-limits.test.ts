import { beforeEach, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../../src/errors/index.ts';
import { attemptLimits } from '../../../src/llm/layers/attempt-limits/index.ts';
import type { AttemptNext, AttemptResult, AttemptSink } from '../../../src/llm/spec/index.ts';
import { readShallowBody } from '../../../src/llm/spec/index.ts';
import { createFakeClock, type FakeClock } from '../../../src/testing/index.ts';
import { Cancellation } from '../../../src/time/index.ts';
import { SeenAnswer } from '../providers/attempt.ts';

const limits = { connectMs: 100, firstTokenMs: 1_000, answerMs: 5_000, stallMs: 500, totalMs: 10_000 };
const head = { headers: {} };
const result: AttemptResult = {
  head,
  tail: Buffer.alloc(0),
  usage: undefined,
  finishReason: 'stop',
  servedModel: undefined,
  outputBytes: 0,
};

/** A provider played by hand: the test says what arrives when. */
class Played {
  sink!: AttemptSink;
  cancellation!: Cancellation;
  succeed!: () => void;
  readonly next: AttemptNext = (request, sink) =>
    new Promise((resolve, reject) => {
      this.sink = sink;
      this.cancellation = request.cancellation;
      this.succeed = () => resolve(result);
      request.cancellation.onCancel((reason) => reject(reason));
    });
}

let clock: FakeClock;
let provider: Played;

beforeEach(() => {
  clock = createFakeClock();
  provider = new Played();
});

function begin(stream = true, deadlineAt?: number, others: Partial<typeof limits> = {}) {
  const sink = new SeenAnswer();
  const cancellation = new Cancellation();
  let outcome: unknown;
  let thrown: unknown;
  const attempted = attemptLimits(
    { ...limits, ...others },
    clock,
  )(provider.next)(
    {
      ...(deadlineAt !== undefined && { deadlineAt }),
      operation: 'chat',
      dialect: 'openai',
      model: 'm',
      stream,
      body: readShallowBody(Buffer.from('{}')),
      headers: {},
      cancellation,
    },
    sink,
  ).then(
    () => (outcome = 'done'),
    (error: unknown) => {
      thrown = error;
      return (outcome = error instanceof HoldfastError ? error.code : error);
    },
  );
  return { sink, cancellation, attempted, outcome: () => outcome, error: () => thrown };
}

describe('attemptLimits', () => {
  test('gives up a provider that takes no connection', async () => {
    const { outcome } = begin();
    await clock.advanceAsync(99);
    expect(outcome()).toBeUndefined();
    await clock.advanceAsync(1);
    expect(outcome()).toBe('provider_connect_timeout');
  });

  test('gives up a stream without a first event, however often it pings', async () => {
    const { outcome } = begin();
    provider.sink.connected();
    for (let waited = 0; waited < 1_000; waited += 100) {
      provider.sink.pulse();
      await clock.advanceAsync(100);
    }
    expect(outcome()).toBe('first_token_timeout');
  });

  test('a ping keeps a begun stream alive, silence ends it', async () => {
    const { outcome } = begin();
    provider.sink.connected();
    provider.sink.head(head);
    for (let pings = 0; pings < 5; pings++) {
      await clock.advanceAsync(400);
      provider.sink.pulse();
    }
    expect(outcome()).toBeUndefined();
    await clock.advanceAsync(500);
    expect(outcome()).toBe('stream_stalled');
  });

  test('bounds the whole, also of a stream that never falls silent', async () => {
    const { outcome } = begin();
    provider.sink.connected();
    provider.sink.head(head);
    for (let pings = 0; pings < 100; pings++) {
      await clock.advanceAsync(100);
      if (outcome() === undefined) provider.sink.pulse();
    }
    expect(outcome()).toBe('call_timeout');
  });

  test('goes on no longer than the call it is part of', async () => {
    const { outcome } = begin(false, clock.monotonic() + 3_000);
    provider.sink.connected();
    await clock.advanceAsync(2_999);
    expect(outcome()).toBeUndefined();
    await clock.advanceAsync(1);
    expect(outcome()).toBe('call_timeout');
  });

  test('a plain answer that is not whole in answerMs is given up as silent', async () => {
    const { outcome } = begin(false);
    await clock.advanceAsync(50);
    provider.sink.connected();
    await clock.advanceAsync(4_000);
    provider.sink.pulse();
    await clock.advanceAsync(999);
    expect(outcome()).toBeUndefined();
    await clock.advanceAsync(1);
    expect(outcome()).toBe('first_token_timeout');
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([
    ['that has not begun to answer in all of its time', false, undefined, () => {}, false],
    ['that was asked so late that it had not half of its time', false, 4_900, () => {}, true],
    ['that was answering', true, undefined, () => provider.sink.head(head), true],
    [
      'whose reader was slow',
      true,
      undefined,
      (sink: SeenAnswer) => {
        provider.sink.head(head);
        sink.flowing = false;
        provider.sink.data(Buffer.from('x'));
      },
      true,
    ],
  ])('a target %s is blamed for the end of the call, or not', async (_which, stream, deadlineMs, play, blameless) => {
    const { sink, error } = begin(stream, deadlineMs, { answerMs: 10_000, stallMs: 10_000 });
    provider.sink.connected();
    play(sink);
    await clock.advanceAsync(10_000);
    expect(error()).toMatchObject({ code: 'call_timeout' });
    expect((error() as { blameless?: boolean }).blameless ?? false).toBe(blameless);
  });

  test('the silence of a provider that must wait for its reader does not count', async () => {
    const { sink, outcome } = begin();
    provider.sink.connected();
    provider.sink.head(head);
    sink.flowing = false;
    expect(provider.sink.data(Buffer.from('x'))).toBe(false);
    let resumed = false;
    provider.sink.drained(() => (resumed = true));
    await clock.advanceAsync(5_000);
    expect(outcome()).toBeUndefined();
    sink.drain();
    expect(resumed).toBe(true);
    await clock.advanceAsync(500);
    expect(outcome()).toBe('stream_stalled');
  });

  test('the caller’s cancellation reaches the provider with its reason', async () => {
    const { cancellation, outcome } = begin();
    cancellation.cancel(new HoldfastError('client_closed'));
    await clock.advanceAsync(0);
    expect(provider.cancellation.cancelled).toBe(true);
    expect(outcome()).toBe('client_closed');
  });

  test.each(['success', 'failure', 'late drain'])('leaves no timer behind after %s', async (how) => {
    const { sink, cancellation, attempted } = begin();
    provider.sink.connected();
    provider.sink.head(head);
    if (how === 'late drain') {
      sink.flowing = false;
      provider.sink.data(Buffer.from('x'));
      provider.sink.drained(() => {});
    }
    if (how === 'failure') cancellation.cancel(new HoldfastError('client_closed'));
    else provider.succeed();
    await attempted;
    sink.drain();
    expect(clock.pendingTimers).toBe(0);
  });
});
