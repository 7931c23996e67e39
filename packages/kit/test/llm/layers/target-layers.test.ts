import { describe, expect, test } from 'vitest';
import { HoldfastError, type ErrorCode } from '../../../src/errors/index.ts';
import { attemptBreaker, classifyAttempt } from '../../../src/llm/layers/breaker/index.ts';
import { attemptBulkhead } from '../../../src/llm/layers/bulkhead/index.ts';
import { attemptRetry } from '../../../src/llm/layers/retry/index.ts';
import {
  AttemptError,
  readShallowBody,
  type AttemptErrorOptions,
  type AttemptRequest,
  type AttemptResult,
  type AttemptSink,
  type RestartableSink,
} from '../../../src/llm/spec/index.ts';
import { createBulkhead, createCircuitBreaker, type RetryOptions } from '../../../src/resilience/index.ts';
import { createFakeClock, createSeededRandom } from '../../../src/testing/index.ts';
import { Cancellation } from '../../../src/time/index.ts';

const result: AttemptResult = {
  head: { headers: {} },
  tail: Buffer.from('done'),
  usage: undefined,
  finishReason: 'stop',
  servedModel: undefined,
  outputBytes: 0,
};
const failure = (code: ErrorCode, options?: AttemptErrorOptions) => new AttemptError(code, options);

/** What an attempt does, when it is asked. */
type Act = (request: AttemptRequest, sink: AttemptSink) => Promise<AttemptResult>;
const fail =
  (code: ErrorCode, options?: AttemptErrorOptions): Act =>
  () =>
    Promise.reject(failure(code, options));
const succeed: Act = () => Promise.resolve(result);
const never: Act = ({ cancellation }) => new Promise((_resolve, reject) => void cancellation.onCancel(reject));

/** A sink as the route has it: what came in before it began can be taken back. */
class Reader implements RestartableSink {
  begun = false;
  abandoned = 0;
  held = '';
  connected(): void {}
  pulse(): void {}
  head(): void {}
  data(bytes: Buffer): boolean {
    this.held += bytes.toString();
    return true;
  }
  drained(): void {}
  abandon(): void {
    this.abandoned += 1;
    this.held = '';
  }
}

function setUp(options: RetryOptions = {}) {
  const clock = createFakeClock();
  let acts: Act[] = [];
  const asked: { readonly at: number; readonly attempt: number; readonly request: AttemptRequest }[] = [];
  const next = (request: AttemptRequest, sink: AttemptSink): Promise<AttemptResult> => {
    asked.push({ at: clock.monotonic(), attempt: request.attempt ?? 1, request });
    return (acts.length > 1 ? acts.shift()! : acts[0]!)(request, sink);
  };
  const target = attemptRetry({ clock, random: createSeededRandom(1), jitter: 'none', ...options })(next);
  const sink = new Reader();
  const cancellation = new Cancellation();
  function call(...script: Act[]) {
    acts = script;
    let outcome: unknown;
    const done = target(requestOf(cancellation, clock.monotonic() + 60_000), sink).then(
      () => (outcome = 'completed'),
      (error: HoldfastError) => (outcome = error),
    );
    return { done, outcome: () => outcome };
  }
  return { clock, asked, sink, cancellation, call };
}

function requestOf(cancellation = new Cancellation(), deadlineAt = 60_000): AttemptRequest {
  const body = readShallowBody(Buffer.from('{}'));
  return { operation: 'chat', dialect: 'openai', model: 'm', stream: true, body, headers: {}, cancellation, deadlineAt };
}

describe('attemptRetry', () => {
  test('makes three attempts, a second and then two apart, and rejects with what the target said last', async () => {
    const { clock, asked, call } = setUp();
    const { done } = call(fail('provider_failed'), fail('provider_failed'), fail('provider_overloaded'));
    await clock.advanceAsync(10_000);
    expect(await done).toMatchObject({ code: 'provider_overloaded' });
    expect(asked.map(({ at, attempt }) => [at, attempt])).toEqual([
      [0, 1],
      [1_000, 2],
      [3_000, 3],
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('hands the first attempt on as it came', async () => {
    const { asked, call } = setUp();
    expect(await call(succeed).done).toBe('completed');
    expect(asked[0]!.request).not.toHaveProperty('attempt');
  });

  test.each([
    'provider_rejected_request',
    'content_filtered',
    'context_length_exceeded',
    'model_unsuited',
    'provider_auth_failed',
  ] as const)('does not send again what %s says', async (code) => {
    const { asked, call } = setUp();
    expect(await call(fail(code)).done).toMatchObject({ code });
    expect(asked).toHaveLength(1);
  });

  test.each(['first_token_timeout', 'call_timeout'] as const)('leaves a target that is silent (%s) to the next one', async (code) => {
    const { asked, call } = setUp();
    expect(await call(fail(code)).done).toMatchObject({ code });
    expect(asked).toHaveLength(1);
  });

  test.each(['stream_cut', 'stream_stalled', 'provider_malformed'] as const)(
    'begins a stream that ended in %s anew while nothing of it is out, and forgets what it had',
    async (code) => {
      const { clock, asked, sink, call } = setUp();
      const { done } = call((_request, to) => {
        to.data(Buffer.from('half'));
        return Promise.reject(failure(code));
      }, succeed);
      await clock.advanceAsync(1_000);
      expect(await done).toBe('completed');
      expect([asked.length, sink.abandoned, sink.held]).toEqual([2, 1, '']);
    },
  );

  test('sends nothing again once the reader may have a byte', async () => {
    const { asked, sink, call } = setUp();
    const { done } = call(() => {
      sink.begun = true;
      return Promise.reject(failure('stream_cut'));
    });
    expect(await done).toMatchObject({ code: 'stream_cut' });
    expect([asked.length, sink.abandoned]).toEqual([1, 0]);
  });

  test('waits at least as long as the target asks for', async () => {
    const { clock, asked, call } = setUp({ jitter: 'full' });
    const { done } = call(fail('provider_rate_limited', { retryAfterSeconds: 7 }), succeed);
    await clock.advanceAsync(6_999);
    expect(asked).toHaveLength(1);
    await clock.advanceAsync(1_001);
    expect(await done).toBe('completed');
  });

  test.each([
    ['than the call has left', {}, 61],
    ['than it may ask for', { maxRetryAfterMs: 5_000 }, 6],
  ])('gives a target up at once that asks for more %s', async (_what, options, retryAfterSeconds) => {
    const { clock, call } = setUp(options);
    const { done } = call(fail('provider_rate_limited', { retryAfterSeconds }));
    expect(await done).toMatchObject({ code: 'provider_rate_limited', retryAfterSeconds });
    expect([clock.monotonic(), clock.pendingTimers]).toEqual([0, 0]);
  });

  test('tries the other credentials at once, as one attempt, and takes nothing from the budget', async () => {
    const { asked, call } = setUp({ budgetPercent: 0, budgetMinPerWindow: 0 });
    const other = fail('provider_auth_failed', { otherCredential: true });
    expect(await call(other, other, succeed).done).toBe('completed');
    expect(asked.map(({ at, attempt }) => [at, attempt])).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
  });

  test('a provider that never runs out of credentials does not keep a call for ever', async () => {
    const { asked, call } = setUp();
    expect(await call(fail('provider_auth_failed', { otherCredential: true })).done).toMatchObject({ code: 'provider_auth_failed' });
    expect(asked).toHaveLength(100);
  });

  test('a client that goes away while a retry waits is told so, and nothing more is sent', async () => {
    const { clock, asked, cancellation, call } = setUp();
    const { done } = call(fail('provider_failed'));
    await clock.advanceAsync(500);
    cancellation.cancel(new HoldfastError('client_closed'));
    expect(await done).toMatchObject({ code: 'client_closed' });
    expect([asked.length, clock.pendingTimers]).toEqual([1, 0]);
  });
});

describe('attemptBreaker', () => {
  function guarded(acts: () => Act) {
    const clock = createFakeClock();
    const breaker = createCircuitBreaker({ name: 'p/m', clock, classify: classifyAttempt, threshold: 2, recoveryMs: 1_000 });
    let asked = 0;
    const target = attemptBreaker(breaker)((request, sink) => {
      asked += 1;
      return acts()(request, sink);
    });
    const call = (attempt?: number, cancellation?: Cancellation) =>
      target({ ...requestOf(cancellation), ...(attempt !== undefined && { attempt }) }, new Reader()).then(
        () => 'completed',
        (error: HoldfastError) => error.code,
      );
    return { clock, breaker, call, asked: () => asked };
  }

  test('keeps attempts from a target that fails, and lets one probe it that is no retry', async () => {
    let act = fail('provider_failed');
    const { clock, breaker, call, asked } = guarded(() => act);
    expect([await call(), await call(), await call()]).toEqual(['provider_failed', 'provider_failed', 'circuit_open']);
    clock.advance(1_000);
    act = succeed;
    expect(await call(2)).toBe('circuit_open');
    expect(await call(1)).toBe('completed');
    expect([breaker.state, asked()]).toEqual(['closed', 3]);
  });

  test('counts a stream when it has ended, by how it ended', async () => {
    const ends: ((error?: Error) => void)[] = [];
    const { breaker, call } = guarded(
      () => (_request, sink) =>
        new Promise((resolve, reject) => {
          sink.head({ headers: {} });
          ends.push((error) => (error ? reject(error) : resolve(result)));
        }),
    );
    const calls = [call(), call()];
    expect(breaker.status()).toMatchObject({ failures: 0, totals: { succeeded: 0, failed: 0 } });
    ends[0]!(failure('stream_cut'));
    ends[1]!(failure('stream_stalled'));
    await Promise.all(calls);
    expect(breaker.state).toBe('open');
  });

  test.each([
    ['a client that went away', 'client_closed', {}],
    ['a race that was lost', 'hedge_lost', {}],
    ['a refused key', 'provider_auth_failed', {}],
    ['a wait in a queue of ours', 'deadline_exceeded', {}],
    ['a fault of ours', 'internal_error', {}],
    ['an answer that was too long', 'call_timeout', { blameless: true }],
    ['a request that is wrong', 'provider_rejected_request', {}],
    ['a request that does not fit', 'context_length_exceeded', {}],
  ] as const)('does not blame the target for %s', async (_what, code, options) => {
    const { breaker, call } = guarded(() => fail(code, options));
    for (let calls = 0; calls < 5; calls++) await call();
    expect([breaker.state, breaker.status().failures]).toEqual(['closed', 0]);
  });

  test('the probe of a client that went away leaves its place to the next', async () => {
    let act = fail('provider_failed');
    const { clock, breaker, call } = guarded(() => act);
    await call();
    await call();
    clock.advance(1_000);
    act = never;
    const cancellation = new Cancellation();
    const gone = call(1, cancellation);
    expect(await call(1)).toBe('circuit_open');
    cancellation.cancel(new HoldfastError('client_closed'));
    expect(await gone).toBe('client_closed');
    act = succeed;
    expect(await call(1)).toBe('completed');
    expect(breaker.state).toBe('closed');
  });
});

test('attemptBulkhead lets as many attempts through as it has room for, to their end', async () => {
  const clock = createFakeClock();
  const bulkhead = createBulkhead({ name: 'p/m', clock, maxConcurrent: 1, maxQueued: 1, maxQueueMs: 1_000 });
  const ends: (() => void)[] = [];
  const target = attemptBulkhead(bulkhead)(() => new Promise((resolve) => ends.push(() => resolve(result))));
  const outcomes: string[] = [];
  const call = (cancellation?: Cancellation) =>
    target(requestOf(cancellation), new Reader()).then(
      () => void outcomes.push('completed'),
      (error: HoldfastError) => void outcomes.push(error.code),
    );
  const first = call();
  const second = call();
  await call();
  expect(outcomes).toEqual(['concurrency_limited']);
  expect(bulkhead.status()).toEqual({ limit: 1, inUse: 1, queued: 1 });
  ends[0]!();
  await first;
  const gone = new Cancellation();
  const third = call(gone);
  gone.cancel(new HoldfastError('client_closed'));
  await third;
  ends[1]!();
  await second;
  expect(outcomes).toEqual(['concurrency_limited', 'completed', 'client_closed', 'completed']);
  expect(bulkhead.status()).toEqual({ limit: 1, inUse: 0, queued: 0 });
  expect(clock.pendingTimers).toBe(0);
});
