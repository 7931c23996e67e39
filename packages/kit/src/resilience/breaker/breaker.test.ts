import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError, type ErrorCode } from '../../errors/index.ts';
import { createFakeClock } from '../../testing/index.ts';
import { Cancellation } from '../../time/index.ts';
import { createCallContext } from '../call-context.ts';
import { breakerChanged, callRejected, type BreakerChanged, type CallRejected } from '../events.ts';
import { compose } from '../policy.ts';
import { timeout } from '../timeout.ts';
import { deadline } from '../deadline.ts';
import { createCircuitBreaker, type BreakerOptions, type BreakerPermit, type CircuitBreaker } from './index.ts';

const failure = (code: ErrorCode = 'provider_failed', retryAfterSeconds?: number) =>
  new HoldfastError(code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });

function setUp(options: BreakerOptions = {}) {
  const clock = createFakeClock();
  const breaker = createCircuitBreaker({ name: 'search', clock, ...options });
  let sent = 0;
  const call = (result: unknown = 'ok') =>
    breaker
      .policy(async () => {
        sent++;
        if (result instanceof Error) throw result;
        return result;
      })(createCallContext())
      .catch((error: { code?: string }) => error.code ?? error);
  const fail = async (times: number, error: Error = failure()) => {
    for (let at = 0; at < times; at++) await call(error);
  };
  return { clock, breaker, call, fail, sent: () => sent };
}

/** A call that is under way until it is told how to end. */
function pending(breaker: CircuitBreaker, cancellation = new Cancellation()) {
  let end!: { resolve: (value: string) => void; reject: (error: unknown) => void };
  const run = breaker
    .policy(() => new Promise<string>((resolve, reject) => (end = { resolve, reject })))(createCallContext({ cancellation }))
    .catch((error: { code?: string }) => error.code ?? String(error));
  return { run, end: end as typeof end | undefined };
}

describe('a consecutive breaker', () => {
  test('opens after five failures in a row, and then sends nothing', async () => {
    const { breaker, call, fail, sent } = setUp();
    await fail(4);
    expect(breaker.state).toBe('closed');
    await fail(1);
    expect(breaker.state).toBe('open');
    expect(await call()).toBe('circuit_open');
    expect(sent()).toBe(5);
  });

  test('begins again at each success', async () => {
    const { breaker, call, fail } = setUp();
    await fail(4);
    await call();
    await fail(4);
    expect(breaker.state).toBe('closed');
  });

  test('opens after as many as it was told', async () => {
    const { breaker, fail } = setUp({ threshold: 2 });
    await fail(1);
    expect(breaker.state).toBe('closed');
    await fail(1);
    expect(breaker.state).toBe('open');
  });
});

describe('a ratio breaker', () => {
  test('opens at five failures that are half of the calls', async () => {
    const { breaker, call, fail } = setUp({ mode: 'ratio' });
    for (let at = 0; at < 6; at++) await call();
    await fail(5);
    expect(breaker.state).toBe('closed');
    await fail(1);
    expect(breaker.state).toBe('open');
  });

  test('needs the threshold, whatever the ratio', async () => {
    const { breaker, fail } = setUp({ mode: 'ratio', ratio: 0.01 });
    await fail(4);
    expect(breaker.state).toBe('closed');
    await fail(1);
    expect(breaker.state).toBe('open');
  });

  test('forgets what left the window', async () => {
    const { clock, breaker, fail } = setUp({ mode: 'ratio', windowMs: 10_000 });
    await fail(4);
    clock.advance(10_000);
    await fail(4);
    expect(breaker.state).toBe('closed');
    expect(breaker.status()).toMatchObject({ failures: 4, windowCalls: 4 });
  });

  test('begins with an empty window after it has closed', async () => {
    const { clock, breaker, call, fail } = setUp({ mode: 'ratio', recoveryMs: 100 });
    await fail(5);
    clock.advance(100);
    await call();
    expect(breaker.status()).toMatchObject({ state: 'closed', failures: 0, windowCalls: 0 });
  });
});

describe('recovery', () => {
  test('comes by itself: after 60 s one probe, which closes it', async () => {
    const { clock, breaker, call, fail, sent } = setUp();
    await fail(5);
    clock.advance(59_999);
    expect(await call()).toBe('circuit_open');
    clock.advance(1);
    expect(breaker.state).toBe('half_open');
    expect(await call()).toBe('ok');
    expect(breaker.state).toBe('closed');
    expect(sent()).toBe(6);
  });

  test('is not probed by a retry', async () => {
    const { clock, breaker, fail } = setUp();
    await fail(5);
    clock.advance(60_000);
    const retried = breaker
      .policy(async () => 'probe')(createCallContext().withAttempt(2))
      .catch((error: { code: string }) => error.code);
    expect(await retried).toBe('circuit_open');
    expect(breaker.enter({ mayProbe: false })).toEqual({ admitted: false, reason: 'open', retryAfterMs: 0 });
    expect(breaker.enter()).toMatchObject({ admitted: true, probe: true });
  });

  test('lets one probe through at a time', async () => {
    const { clock, breaker, call, fail, sent } = setUp();
    await fail(5);
    clock.advance(60_000);
    const probe = pending(breaker);
    expect(await call()).toBe('circuit_open');
    expect(await call()).toBe('circuit_open');
    expect(breaker.state).toBe('half_open');
    probe.end!.resolve('ok');
    await probe.run;
    expect(await call()).toBe('ok');
    expect(sent()).toBe(6);
  });

  test('opens for another 60 s when the probe fails', async () => {
    const { clock, breaker, call, fail } = setUp();
    await fail(5);
    clock.advance(60_000);
    await fail(1);
    expect(breaker.state).toBe('open');
    clock.advance(59_999);
    expect(await call()).toBe('circuit_open');
    clock.advance(1);
    expect(await call()).toBe('ok');
  });

  test('takes a permanent failure of the probe as a sign of life', async () => {
    const { clock, breaker, fail } = setUp();
    await fail(5);
    clock.advance(60_000);
    await fail(1, failure('provider_rejected_request'));
    expect(breaker.state).toBe('closed');
  });

  test('lets the next one probe when the probe came to nothing', async () => {
    const { clock, breaker, call, fail } = setUp();
    await fail(5);
    clock.advance(60_000);
    const cancellation = new Cancellation();
    const probe = pending(breaker, cancellation);
    cancellation.cancel('gone');
    probe.end!.reject('gone');
    await probe.run;
    expect(breaker.state).toBe('half_open');
    await fail(1, failure('provider_auth_failed'));
    expect(breaker.state).toBe('half_open');
    expect(await call()).toBe('ok');
    expect(breaker.state).toBe('closed');
  });

  test('does not wait for ever for a probe that never ends', async () => {
    const { clock, breaker, call, fail } = setUp({ probeLeaseMs: 30_000 });
    await fail(5);
    clock.advance(60_000);
    const stuck = pending(breaker);
    clock.advance(29_999);
    expect(await call()).toBe('circuit_open');
    clock.advance(1);
    const second = pending(breaker);
    expect(second.end).toBeDefined();
    // The first, ending now without a result, does not take the second's place away.
    stuck.end!.reject(failure('provider_auth_failed'));
    await stuck.run;
    expect(await call()).toBe('circuit_open');
    second.end!.resolve('ok');
    await second.run;
    expect(breaker.state).toBe('closed');
  });

  test.each([
    ['in seconds', () => failure('provider_rate_limited', 300)],
    [
      'with a date',
      (nowMs: number) =>
        Object.assign(new Error('answered'), { status: 503, headers: { 'retry-after': new Date(nowMs + 300_000).toUTCString() } }),
    ],
  ])('is not sooner than the target asked for, %s', async (_how, error) => {
    const { clock, call, fail } = setUp();
    clock.advance(10_000_000);
    await fail(4);
    await fail(1, error(clock.now()));
    clock.advance(299_999);
    expect(await call()).toBe('circuit_open');
    clock.advance(1);
    expect(await call()).toBe('ok');
  });

  test('believes the target up to an hour', async () => {
    const { clock, call, fail } = setUp();
    await fail(5, failure('provider_rate_limited', 86_400));
    clock.advance(3_600_000);
    expect(await call()).toBe('ok');
  });

  test('forgets what was asked for before a success', async () => {
    const { clock, call, fail } = setUp();
    await fail(1, failure('provider_rate_limited', 3_000));
    await call();
    await fail(5);
    clock.advance(60_000);
    expect(await call()).toBe('ok');
  });
});

describe('what counts', () => {
  test.each<ErrorCode>(['provider_unreachable', 'provider_rate_limited', 'first_token_timeout', 'internal_error', 'operation_timeout'])(
    '%s is a failure',
    async (code) => {
      const { breaker, fail } = setUp();
      await fail(5, failure(code));
      expect(breaker.state).toBe('open');
    },
  );

  test('an error of which nothing is known is a failure', async () => {
    const { breaker, fail } = setUp();
    await fail(5, new Error('boom'));
    expect(breaker.state).toBe('open');
    expect(breaker.status().lastFailure).toMatchObject({ code: 'Error', detail: 'boom' });
    const told = async (error: Error) => {
      const other = setUp();
      await other.fail(1, error);
      return other.breaker.status().lastFailure!.code;
    };
    const { breaker: thrownAt } = setUp();
    (thrownAt.enter() as BreakerPermit).failed('a text');
    expect(thrownAt.status().lastFailure).toMatchObject({ code: 'string', detail: 'a text' });
    expect(await told(Object.assign(new Error('answered'), { status: 503 }))).toBe('503');
    expect(await told(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))).toBe('ECONNRESET');
  });

  test.each<ErrorCode>([
    'provider_rejected_request',
    'content_filtered',
    'context_length_exceeded',
    'provider_auth_failed',
    'concurrency_limited',
    'client_closed',
    'hedge_lost',
  ])('%s neither opens it nor clears the failures before', async (code) => {
    const { breaker, fail } = setUp();
    await fail(4);
    await fail(20, failure(code));
    expect(breaker.state).toBe('closed');
    await fail(1);
    expect(breaker.state).toBe('open');
  });

  test('calls that the caller gave up count neither way', async () => {
    const { breaker, fail } = setUp();
    await fail(4);
    for (let at = 0; at < 20; at++) {
      const cancellation = new Cancellation();
      const call = pending(breaker, cancellation);
      cancellation.cancel(new Error('gone'));
      call.end!.reject(new Error('socket closed'));
      await call.run;
    }
    expect(breaker.state).toBe('closed');
    expect(breaker.status().totals).toMatchObject({ succeeded: 0, failed: 4 });
    await fail(1);
    expect(breaker.state).toBe('open');
  });

  test('a target that never answers opens it, by the limit of the attempt and by the deadline of the call', async () => {
    for (const inner of [true, false]) {
      const clock = createFakeClock();
      const breaker = createCircuitBreaker({ clock });
      const guarded = inner
        ? compose(breaker.policy, timeout({ timeoutMs: 100, clock }))
        : compose(deadline({ deadlineMs: 100, clock }), breaker.policy);
      for (let at = 0; at < 5; at++) {
        const run = guarded((context) => new Promise<never>((_resolve, reject) => context.cancellation.onCancel(reject)))(
          createCallContext(),
        ).catch(() => {});
        await clock.advanceAsync(100);
        await run;
      }
      expect(breaker.state).toBe('open');
    }
  });

  test('what a call finds out that was let through by an earlier state is old news', async () => {
    const { clock, breaker, call, fail } = setUp();
    const early = Array.from({ length: 6 }, () => pending(breaker));
    await fail(5);
    clock.advance(60_000);
    await call();
    expect(breaker.state).toBe('closed');
    for (const each of early) each.end!.reject(failure());
    await Promise.all(early.map((each) => each.run));
    expect(breaker.state).toBe('closed');
  });

  test('a late answer to such a call does not clear the failures since', async () => {
    const { clock, breaker, call, fail } = setUp();
    const early = pending(breaker);
    await fail(5);
    clock.advance(60_000);
    await call();
    await fail(4);
    early.end!.resolve('late');
    await early.run;
    expect(breaker.status().failures).toBe(4);
    await fail(1);
    expect(breaker.state).toBe('open');
  });

  test('a call that was cancelled for another reason than a deadline says nothing, whatever error it is', async () => {
    const { breaker, fail } = setUp();
    await fail(4);
    const cancellation = new Cancellation();
    const call = pending(breaker, cancellation);
    cancellation.cancel(new HoldfastError('provider_failed'));
    call.end!.reject(new HoldfastError('provider_failed'));
    await call.run;
    expect(breaker.state).toBe('closed');
  });
});

describe('by hand', () => {
  test('opened, it stays so until it is closed by hand', async () => {
    const { clock, breaker, call } = setUp();
    await breaker.open();
    clock.advance(86_400_000);
    expect(await call()).toBe('circuit_open');
    expect(breaker.status()).toMatchObject({ state: 'open', byHand: true, probeInMs: Number.POSITIVE_INFINITY });
    await breaker.close();
    expect(await call()).toBe('ok');
    expect(breaker.status()).toMatchObject({ state: 'closed', byHand: true, probeInMs: undefined });
  });

  test('opened for a time, it recovers by itself', async () => {
    const { clock, breaker, call } = setUp();
    await breaker.open({ recoveryMs: 5_000 });
    clock.advance(5_000);
    expect(await call()).toBe('ok');
    expect(breaker.status().byHand).toBe(false);
  });

  test('closed, it counts from nothing again', async () => {
    const { breaker, fail } = setUp();
    await fail(5);
    await breaker.close();
    await fail(4);
    expect(breaker.state).toBe('closed');
  });

  test('closed in the middle of a probe, it does not heed the probe', async () => {
    const { clock, breaker, fail } = setUp();
    await fail(5);
    clock.advance(60_000);
    const probe = pending(breaker);
    await breaker.close();
    probe.end!.reject(failure());
    await probe.run;
    expect(breaker.state).toBe('closed');
  });
});

describe('whoever looks', () => {
  test('sees state, counts, last failure and when a probe may go', async () => {
    const { clock, breaker, call, fail } = setUp();
    await call();
    clock.advance(1_000);
    await fail(5, failure('provider_overloaded'));
    await call();
    clock.advance(20_000);
    expect(breaker.status()).toEqual({
      name: 'search',
      state: 'open',
      byHand: false,
      changedAt: clock.now() - 20_000,
      probeInMs: 40_000,
      failures: 0,
      windowCalls: undefined,
      totals: { succeeded: 1, failed: 5, refused: 1, opened: 1 },
      lastFailure: { at: clock.now() - 20_000, code: 'provider_overloaded', detail: failure('provider_overloaded').message },
      mode: 'consecutive',
      threshold: 5,
      ratio: 0.5,
      windowMs: 30_000,
      recoveryMs: 60_000,
      maxRecoveryMs: 3_600_000,
      probeLeaseMs: 60_000,
    });
  });

  test('is told each change, on the channel and by the breaker', async () => {
    const changes: BreakerChanged[] = [];
    const rejected: CallRejected[] = [];
    onTestFinished(breakerChanged.subscribe((message) => void changes.push(message)));
    onTestFinished(callRejected.subscribe((message) => void rejected.push(message)));
    const { clock, breaker, call, fail } = setUp({ recoveryMs: 1_000 });
    const own: string[] = [];
    const end = breaker.onChange(({ from, to }) => void own.push(`${from} → ${to}`));
    await fail(5);
    await call();
    clock.advance(1_000);
    await fail(1);
    clock.advance(1_000);
    await call();
    await breaker.open();
    end();
    await breaker.close();
    expect(changes.map(({ from, to, reason, recoveryMs }) => [from, to, reason, recoveryMs])).toEqual([
      ['closed', 'open', 'failures', 1_000],
      ['open', 'half_open', 'probe_started', undefined],
      ['half_open', 'open', 'probe_failed', 1_000],
      ['open', 'half_open', 'probe_started', undefined],
      ['half_open', 'closed', 'probe_succeeded', undefined],
      ['closed', 'open', 'by_hand', Number.POSITIVE_INFINITY],
      ['open', 'closed', 'by_hand', undefined],
    ]);
    expect(own).toEqual([
      'closed → open',
      'open → half_open',
      'half_open → open',
      'open → half_open',
      'half_open → closed',
      'closed → open',
    ]);
    expect(rejected).toEqual([{ name: 'search', policy: 'breaker', reason: 'open' }]);
  });

  test('is told by the refusal when it is worth asking again', async () => {
    const { clock, breaker, fail } = setUp();
    await fail(5);
    clock.advance(15_000);
    const refused = (await breaker
      .policy(async () => 'never')(createCallContext())
      .catch((error: unknown) => error)) as HoldfastError;
    expect(refused).toMatchObject({
      code: 'circuit_open',
      retryAfterSeconds: 45,
      message: 'search: the circuit breaker is open',
    });
    await breaker.open();
    const forGood = (await breaker
      .policy(async () => 'never')(createCallContext())
      .catch((error: unknown) => error)) as HoldfastError;
    expect([forGood.retryAfterSeconds, forGood.message]).toEqual([undefined, 'search: the circuit breaker is open']);
  });
});

test('code that is no single promise enters and reports by itself', async () => {
  const { clock, breaker } = setUp({ threshold: 1 });
  const enter = () => breaker.enter() as BreakerPermit;
  enter().failed(failure());
  expect(breaker.enter()).toEqual({ admitted: false, reason: 'open', retryAfterMs: 60_000 });
  clock.advance(60_000);
  const probe = enter();
  expect(probe.probe).toBe(true);
  expect(breaker.enter()).toEqual({ admitted: false, reason: 'probing', retryAfterMs: 1_000 });
  probe.succeeded();
  probe.failed(failure());
  expect(breaker.state).toBe('closed');
});

test('a listener that throws does not reach the call', async () => {
  const { breaker, fail } = setUp({ threshold: 1 });
  const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
  const others = process.listeners('uncaughtException').slice(0, -1);
  for (const other of others) process.off('uncaughtException', other);
  onTestFinished(() => {
    for (const other of others) process.on('uncaughtException', other);
  });
  breaker.onChange(() => {
    throw new Error('of the listener');
  });
  await fail(1);
  expect(breaker.state).toBe('open');
  expect(await thrown).toMatchObject({ message: 'of the listener' });
});

test('before anything has happened it is closed, by nobody’s hand', () => {
  const { breaker } = setUp();
  expect(breaker.status()).toMatchObject({
    state: 'closed',
    byHand: false,
    changedAt: undefined,
    probeInMs: undefined,
    totals: { succeeded: 0, failed: 0, refused: 0, opened: 0 },
    lastFailure: undefined,
  });
});

test('whoever comes during a probe is told to come back in a second, or sooner when its lease ends sooner', async () => {
  const { clock, breaker, fail } = setUp({ probeLeaseMs: 30_000 });
  await fail(5);
  clock.advance(60_000);
  void breaker.enter();
  clock.advance(29_500);
  expect(breaker.enter()).toEqual({ admitted: false, reason: 'probing', retryAfterMs: 500 });
  const refused = await breaker
    .policy(async () => 'never')(createCallContext())
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({ retryAfterSeconds: 0.5, message: 'search: a probe of the circuit breaker is under way' });
});

describe('of a probe only the first word counts', () => {
  test.each([
    ['failed', (probe: BreakerPermit) => probe.failed(failure())],
    ['succeeded', (probe: BreakerPermit) => probe.succeeded()],
  ] as const)('abandoned, then %s', async (_what, end) => {
    const { clock, breaker, fail } = setUp();
    await fail(5);
    clock.advance(60_000);
    const probe = breaker.enter() as BreakerPermit;
    probe.abandoned();
    end(probe);
    expect(breaker.state).toBe('half_open');
    expect(breaker.status().totals).toMatchObject({ succeeded: 0, failed: 5, opened: 1 });
    expect(breaker.enter()).toMatchObject({ admitted: true, probe: true });
  });

  test('and a second probe after one that came to nothing is not announced as a change', async () => {
    const { clock, breaker, fail } = setUp();
    await fail(5);
    clock.advance(60_000);
    const changes: unknown[] = [];
    breaker.onChange(({ to }) => void changes.push(to));
    (breaker.enter() as BreakerPermit).abandoned();
    (breaker.enter() as BreakerPermit).abandoned();
    (breaker.enter() as BreakerPermit).succeeded();
    expect(changes).toEqual(['half_open', 'closed']);
  });
});
