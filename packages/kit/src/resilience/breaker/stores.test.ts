import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../errors/index.ts';
import { createFakeClock } from '../../testing/index.ts';
import { Cancellation } from '../../time/index.ts';
import { createCallContext } from '../call-context.ts';
import { breakerChanged, breakerStoreFailed } from '../events.ts';
import { createBreakerGroup, createCircuitBreaker, type BreakerPermit, type BreakerStore, type SharedBreakerState } from './index.ts';

// What a breaker asks of its store and makes of the answers, word by word: a store of which each answer is given by hand.

function setUp() {
  const clock = createFakeClock();
  const asked: unknown[] = [];
  const inForce: ((state: SharedBreakerState) => SharedBreakerState)[] = [];
  const watchers: { tell: (state: SharedBreakerState) => void; fail: (error: unknown) => void }[] = [];
  let answer: ((granted: boolean) => void) | undefined;
  const store: BreakerStore = {
    watch(name, tell, fail) {
      asked.push(['watch', name]);
      watchers.push({ tell, fail });
      return () => void asked.push(['end', name]);
    },
    publish(_name, state) {
      asked.push(['publish', state.generation, state.state, state.recoveryMs, state.byHand]);
      return (inForce.shift() ?? ((own) => own))(state);
    },
    claimProbe(_name, generation, leaseMs) {
      asked.push(['claim', generation, leaseMs]);
      return new Promise((resolve) => (answer = resolve));
    },
    releaseProbe: (_name, generation) => void asked.push(['release', generation]),
  };
  const breaker = createCircuitBreaker({ name: 'search', clock, store, threshold: 1 });
  const trip = () => (breaker.enter() as BreakerPermit).failed(new HoldfastError('provider_failed'));
  return {
    clock,
    asked,
    inForce,
    store,
    breaker,
    trip,
    watcher: watchers[0]!,
    answer: (granted: boolean) => answer!(granted),
    since() {
      return asked.splice(0);
    },
  };
}
const turn = () => new Promise((resolve) => void setImmediate(resolve));

describe('a breaker tells its store', () => {
  test('each change with the next number, and asks it for the probe', async () => {
    const { clock, breaker, trip, since, answer } = setUp();
    expect(since()).toEqual([['watch', 'search']]);
    trip();
    expect(since()).toEqual([['publish', 1, 'open', 60_000, false]]);
    clock.advance(60_000);
    const probe = breaker.enter() as Promise<BreakerPermit>;
    expect(since()).toEqual([['claim', 1, 60_000]]);
    answer(true);
    (await probe).succeeded();
    expect(since()).toEqual([['publish', 2, 'closed', 0, false]]);
    await breaker.open();
    await breaker.close();
    expect(since()).toEqual([
      ['publish', 3, 'open', Number.POSITIVE_INFINITY, true],
      ['publish', 4, 'closed', 0, true],
    ]);
  });

  test('nothing more when it was disposed of, and heeds it no more', async () => {
    const { clock, breaker, trip, since, watcher } = setUp();
    breaker.dispose();
    expect(since()).toEqual([
      ['watch', 'search'],
      ['end', 'search'],
    ]);
    trip();
    clock.advance(60_000);
    const probe = breaker.enter() as BreakerPermit;
    expect(probe.admitted).toBe(true);
    probe.abandoned();
    await breaker.close();
    watcher.tell({ generation: 9, state: 'open', recoveryMs: 1_000, byHand: true });
    expect([since(), breaker.state]).toEqual([[], 'closed']);
  });

  test('of each breaker of a group that is forgotten or disposed of', () => {
    const { store, since } = setUp();
    const group = createBreakerGroup({ store, maxBreakers: 2 });
    since();
    group.get('a');
    group.get('b');
    group.get('c');
    expect(since()).toEqual([
      ['watch', 'a'],
      ['watch', 'b'],
      ['end', 'a'],
      ['watch', 'c'],
    ]);
    group.dispose();
    expect(since()).toEqual([
      ['end', 'b'],
      ['end', 'c'],
    ]);
  });
});

describe('a breaker heeds its store', () => {
  test.each<[string, SharedBreakerState, string]>([
    ['a newer state', { generation: 2, state: 'closed', recoveryMs: 0, byHand: false }, 'closed'],
    ['another outcome of the same change', { generation: 1, state: 'closed', recoveryMs: 0, byHand: false }, 'closed'],
    ['an older one not', { generation: 0, state: 'closed', recoveryMs: 0, byHand: true }, 'open'],
  ])('%s', (_what, state, expected) => {
    const reasons: string[] = [];
    onTestFinished(breakerChanged.subscribe(({ reason }) => void reasons.push(reason)));
    const { breaker, trip, watcher } = setUp();
    trip();
    watcher.tell(state);
    expect(breaker.state).toBe(expected);
    expect(reasons).toEqual(expected === 'open' ? ['failures'] : ['failures', 'shared']);
  });

  test('also when it says it only in answer to what it was told', async () => {
    const { breaker, trip, inForce } = setUp();
    inForce.push(() => ({ generation: 5, state: 'open', recoveryMs: 90_000, byHand: true }));
    trip();
    await turn();
    expect(breaker.status()).toMatchObject({ state: 'open', byHand: true, probeInMs: 90_000 });
  });

  test('does not announce again what it knows already', () => {
    const { breaker, trip, watcher } = setUp();
    const changes: unknown[] = [];
    breaker.onChange((change) => void changes.push(change));
    trip();
    watcher.tell({ generation: 1, state: 'open', recoveryMs: 60_000, byHand: false });
    expect(changes).toEqual([{ from: 'closed', to: 'open' }]);
    expect(breaker.status().totals.opened).toBe(1);
    watcher.tell({ generation: 2, state: 'closed', recoveryMs: 0, byHand: false });
    expect(changes[1]).toEqual({ from: 'open', to: 'closed' });
    expect(breaker.status().totals.opened).toBe(1);
  });
});

describe('an operator’s word', () => {
  test.each<[string, (own: SharedBreakerState) => SharedBreakerState]>([
    ['of the same number was made by another by itself', (own) => ({ ...own, byHand: false })],
    ['of the same number is another operator’s', (own) => ({ ...own, state: 'closed' })],
    ['is newer and happens to be the same', (own) => ({ ...own, generation: own.generation + 3 })],
  ])('is said again when what is in force %s', async (_what, other) => {
    const { breaker, inForce, since } = setUp();
    since();
    inForce.push(other);
    await breaker.open({ recoveryMs: 5_000 });
    const said = since() as [string, number][];
    expect(said.map(([what]) => what)).toEqual(['publish', 'publish']);
    expect(said[1]![1]).toBeGreaterThan(said[0]![1]);
    expect(breaker.status()).toMatchObject({ state: 'open', byHand: true });
  });

  test('is given up after ten tries, and the operator is told', async () => {
    const { breaker, inForce, since } = setUp();
    since();
    for (let at = 0; at < 20; at++) inForce.push((own) => ({ ...own, generation: own.generation + 1, byHand: false }));
    await expect(breaker.open()).rejects.toMatchObject({
      code: 'conflict',
      message: 'search: other instances kept changing the state of the circuit breaker',
    });
    expect(since()).toHaveLength(10);
  });
});

describe('while the store is asked for the probe', () => {
  async function asking() {
    const all = setUp();
    all.trip();
    all.clock.advance(60_000);
    const admission = all.breaker.enter() as Promise<BreakerPermit>;
    all.since();
    return { ...all, admission };
  }

  test('another instance closed it: the call goes as any other, and the claim is given back', async () => {
    const { breaker, admission, watcher, answer, since } = await asking();
    watcher.tell({ generation: 2, state: 'closed', recoveryMs: 0, byHand: false });
    answer(true);
    expect(await admission).toMatchObject({ admitted: true, probe: false });
    expect([since(), breaker.state]).toEqual([[['release', 1]], 'closed']);
  });

  test('another instance opened it anew: the call is refused with the time that is left', async () => {
    const { clock, admission, watcher, answer, since } = await asking();
    watcher.tell({ generation: 2, state: 'open', recoveryMs: 30_000, byHand: false });
    clock.advance(10_000);
    answer(false);
    expect(await admission).toEqual({ admitted: false, reason: 'open', retryAfterMs: 20_000 });
    expect(since()).toEqual([]);
  });

  test('another holds it: the call is refused, and the store is asked again in a second', async () => {
    const { clock, breaker, admission, answer, since } = await asking();
    answer(false);
    expect(await admission).toEqual({ admitted: false, reason: 'probing', retryAfterMs: 1_000 });
    clock.advance(999);
    expect(breaker.enter()).toEqual({ admitted: false, reason: 'open', retryAfterMs: 1 });
    clock.advance(1);
    void breaker.enter();
    expect(since()).toEqual([['claim', 1, 60_000]]);
  });

  test('a caller waits as long as it said and leaves nothing behind, whatever the store then says', async () => {
    const { clock, breaker, trip, answer, since } = setUp();
    trip();
    clock.advance(60_000);
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
    let ended: unknown;
    const call = (deadlineAt?: number) =>
      breaker
        .policy(async () => 'ok')(createCallContext({ cancellation: new Counted(), deadlineAt }))
        .catch((error: { code: string }) => error.code)
        .then((result) => (ended = result));
    const run = call(clock.monotonic() + 500);
    await clock.advanceAsync(499);
    expect([ended, listeners, clock.pendingTimers]).toEqual([undefined, 1, 1]);
    await clock.advanceAsync(1);
    expect([await run, listeners, clock.pendingTimers]).toEqual(['deadline_exceeded', 0, 0]);
    since();
    answer(false);
    await turn();
    expect(since()).toEqual([]);
    await clock.advanceAsync(1_000);
    const granted = call();
    expect([listeners, clock.pendingTimers]).toEqual([1, 0]);
    answer(true);
    expect([await granted, listeners]).toEqual(['ok', 0]);
  });

  test('a caller who has gone already asks in vain', async () => {
    const { clock, breaker, trip, answer, since } = setUp();
    trip();
    clock.advance(60_000);
    const cancellation = new Cancellation();
    cancellation.cancel('gone');
    let sent = 0;
    const run = breaker
      .policy(async () => sent++)(createCallContext({ cancellation, deadlineAt: clock.monotonic() + 5_000 }))
      .catch((error: unknown) => error);
    expect(await run).toBe('gone');
    expect(clock.pendingTimers).toBe(0);
    since();
    answer(true);
    await turn();
    expect([sent, since()]).toEqual([0, [['release', 1]]]);
  });
});

test('a store that fails to watch later is announced, and one that answers nothing to a release is not', async () => {
  const seen: unknown[] = [];
  onTestFinished(breakerStoreFailed.subscribe((message) => void seen.push(message)));
  const { clock, breaker, trip, watcher, answer } = setUp();
  trip();
  clock.advance(60_000);
  const probe = breaker.enter() as Promise<BreakerPermit>;
  answer(true);
  (await probe).abandoned();
  expect(seen).toEqual([]);
  watcher.fail('connection lost');
  expect(seen).toEqual([{ name: 'search', action: 'watch', error: 'connection lost' }]);
});
