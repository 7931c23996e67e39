import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../errors/index.ts';
import { createFakeClock, type FakeClock } from '../../testing/index.ts';
import { Cancellation } from '../../time/index.ts';
import { createCallContext } from '../call-context.ts';
import { breakerStoreFailed, type BreakerStoreFailed } from '../events.ts';
import {
  createBreakerGroup,
  createCircuitBreaker,
  createLocalBreakerStore,
  type BreakerStore,
  type CircuitBreaker,
  type SharedBreakerState,
} from './index.ts';

const failure = () => new HoldfastError('provider_failed');

/** The local store as one on the other side of a network: every answer comes later. */
function remote(clock: FakeClock): BreakerStore {
  const local = createLocalBreakerStore({ clock });
  const later = async <T>(make: () => T): Promise<Awaited<T>> => {
    await Promise.resolve();
    return await make();
  };
  return {
    watch: (name, listener, onFailure) => local.watch(name, (state) => void Promise.resolve().then(() => listener(state)), onFailure),
    publish: (name, state) => later(() => local.publish(name, state)),
    claimProbe: (name, generation, leaseMs) => later(() => local.claimProbe(name, generation, leaseMs)),
    releaseProbe: (name, generation) => later(() => local.releaseProbe(name, generation)),
  };
}

function call(breaker: CircuitBreaker, result: unknown = 'ok'): Promise<unknown> {
  return breaker
    .policy(async () => {
      if (result instanceof Error) throw result;
      return result;
    })(createCallContext())
    .catch((error: { code?: string }) => error.code ?? error);
}

async function fail(breaker: CircuitBreaker, times = 5): Promise<void> {
  for (let at = 0; at < times; at++) await call(breaker, failure());
}

const turn = () => new Promise((resolve) => void setImmediate(resolve));

describe.each(['local', 'remote'])('instances that share a %s store', (kind) => {
  function fleet() {
    const clock = createFakeClock();
    const store = kind === 'local' ? createLocalBreakerStore({ clock }) : remote(clock);
    const make = (name = 'search') => createCircuitBreaker({ name, clock, store });
    return { clock, make, one: make(), two: make() };
  }

  test('are open together, and closed together by one probe', async () => {
    const { clock, one, two } = fleet();
    await fail(one);
    await turn();
    expect(two.state).toBe('open');
    expect(await call(two)).toBe('circuit_open');
    clock.advance(60_000);
    const results = await Promise.all([call(one), call(two)]);
    expect(new Set(results)).toEqual(new Set(['circuit_open', 'ok']));
    await turn();
    expect([one.state, two.state]).toEqual(['closed', 'closed']);
  });

  test('do not mind breakers of other names', async () => {
    const { make, one } = fleet();
    const other = make('other');
    await fail(one);
    await turn();
    expect(other.state).toBe('closed');
  });

  test('that come later know what is in force, with the time that is left', async () => {
    const { clock, make, one } = fleet();
    await fail(one);
    await turn();
    clock.advance(20_000);
    const late = make();
    await turn();
    expect(late.status()).toMatchObject({ state: 'open', probeInMs: 40_000 });
  });

  test('obey the operator of one of them', async () => {
    const { clock, one, two } = fleet();
    await one.open();
    await turn();
    clock.advance(1_000_000);
    expect(await call(two)).toBe('circuit_open');
    expect(two.status().byHand).toBe(true);
    await two.close();
    await turn();
    expect(await call(one)).toBe('ok');
  });

  test('obey the operator also when another opens in the same moment', async () => {
    const { one, two } = fleet();
    await fail(two, 4);
    const opened = fail(two, 1);
    const closed = one.close();
    await Promise.all([opened, closed]);
    await turn();
    expect([one.state, two.state]).toEqual([one.state, one.state]);
    await one.close();
    await turn();
    expect([one.state, two.state]).toEqual(['closed', 'closed']);
  });

  test('let another probe when the one that claimed it is gone for as long as the lease', async () => {
    const { clock, one, two } = fleet();
    await fail(one);
    await turn();
    clock.advance(60_000);
    const hanging = one.policy(() => new Promise<never>(() => {}))(createCallContext());
    void hanging;
    await turn();
    expect(await call(two)).toBe('circuit_open');
    clock.advance(60_000);
    expect(await call(two)).toBe('ok');
    await turn();
    expect(one.state).toBe('closed');
  });

  test('take the probe over from one whose caller gave up', async () => {
    const { clock, one, two } = fleet();
    await fail(one);
    await turn();
    clock.advance(60_000);
    const cancellation = new Cancellation();
    const probe = one
      .policy((context) => new Promise<never>((_resolve, reject) => context.cancellation.onCancel(reject)))(
        createCallContext({ cancellation }),
      )
      .catch((error: unknown) => error);
    await turn();
    cancellation.cancel('gone');
    await probe;
    await turn();
    expect(await call(two)).toBe('ok');
  });
});

test('who opened by itself in the moment in which an operator opened for all obeys him, and does not probe', async () => {
  const clock = createFakeClock();
  let tell!: (state: SharedBreakerState) => void;
  const word: SharedBreakerState = { generation: 1, state: 'open', recoveryMs: Number.POSITIVE_INFINITY, byHand: true };
  const store: BreakerStore = {
    watch: (_name, listener) => ((tell = listener), () => {}),
    publish: (_name, state) => state,
    claimProbe: () => true,
    releaseProbe: () => {},
  };
  const breaker = createCircuitBreaker({ clock, store });
  await fail(breaker);
  expect(breaker.status()).toMatchObject({ state: 'open', byHand: false, probeInMs: 60_000 });
  tell(word);
  clock.advance(60_000);
  expect(await call(breaker)).toBe('circuit_open');
  expect(breaker.status()).toMatchObject({ state: 'open', byHand: true });
});

test('a caller who gives up while the store is asked for the probe gives the claim back', async () => {
  const clock = createFakeClock();
  const store = remote(clock);
  const breaker = createCircuitBreaker({ clock, store });
  await fail(breaker);
  clock.advance(60_000);
  const cancellation = new Cancellation();
  let sent = 0;
  const run = breaker
    .policy(async () => sent++)(createCallContext({ cancellation }))
    .catch((error: unknown) => error);
  cancellation.cancel('gone');
  expect(await run).toBe('gone');
  await turn();
  expect(sent).toBe(0);
  expect(await call(breaker)).toBe('ok');
});

test('a store that does not answer holds nobody beyond the deadline, and a claim that comes too late is given back', async () => {
  const clock = createFakeClock();
  const store = createLocalBreakerStore({ clock });
  let answer!: (granted: boolean) => void;
  let released = 0;
  const hanging: BreakerStore = {
    ...store,
    claimProbe: () => new Promise((resolve) => (answer = resolve)),
    releaseProbe: () => void (released += 1),
  };
  const breaker = createCircuitBreaker({ clock, store: hanging });
  await fail(breaker);
  clock.advance(60_000);
  let sent = 0;
  const run = breaker
    .policy(async () => sent++)(createCallContext({ deadlineAt: clock.monotonic() + 500 }))
    .catch((error: { code: string }) => error.code);
  await clock.advanceAsync(500);
  expect(await run).toBe('deadline_exceeded');
  expect(clock.pendingTimers).toBe(0);
  answer(true);
  await turn();
  expect([sent, released]).toEqual([0, 1]);
});

test('asks for the probe once a second while another instance has it', async () => {
  const clock = createFakeClock();
  const store = createLocalBreakerStore({ clock });
  let claims = 0;
  const counting: BreakerStore = {
    ...store,
    claimProbe: (name, generation, leaseMs) => {
      claims++;
      return store.claimProbe(name, generation, leaseMs);
    },
  };
  const holder = createCircuitBreaker({ clock, store });
  const other = createCircuitBreaker({ clock, store: counting });
  await fail(holder);
  clock.advance(60_000);
  void holder.policy(() => new Promise<never>(() => {}))(createCallContext());
  for (let at = 0; at < 10; at++) await call(other);
  expect(claims).toBe(1);
  clock.advance(1_000);
  await call(other);
  expect(claims).toBe(2);
});

describe('a store that fails', () => {
  const broken: BreakerStore = {
    watch() {
      throw new Error('no watch');
    },
    publish: () => Promise.reject(new Error('no publish')),
    claimProbe: () => Promise.reject(new Error('no claim')),
    releaseProbe: () => Promise.reject(new Error('no release')),
  };
  const thrower: BreakerStore = {
    ...broken,
    publish() {
      throw new Error('no publish');
    },
    claimProbe() {
      throw new Error('no claim');
    },
    releaseProbe() {
      throw new Error('no release');
    },
  };

  test.each([
    ['rejects', broken],
    ['throws', thrower],
  ])('and %s is announced, and the breaker goes on by itself', async (_how, store) => {
    const seen: BreakerStoreFailed['action'][] = [];
    onTestFinished(breakerStoreFailed.subscribe(({ action }) => void seen.push(action)));
    const clock = createFakeClock();
    const breaker = createCircuitBreaker({ clock, store });
    await fail(breaker);
    expect(await call(breaker)).toBe('circuit_open');
    clock.advance(60_000);
    await call(breaker, new HoldfastError('provider_auth_failed'));
    expect(await call(breaker)).toBe('ok');
    expect(breaker.state).toBe('closed');
    await turn();
    expect(new Set(seen)).toEqual(new Set(['watch', 'publish', 'claim', 'release']));
  });

  test('is told to the operator, whose word holds here all the same', async () => {
    const breaker = createCircuitBreaker({ store: broken });
    await expect(breaker.open()).rejects.toThrow('no publish');
    expect(breaker.state).toBe('open');
  });
});

test('a breaker that was disposed of listens no more and works on', async () => {
  const clock = createFakeClock();
  const store = createLocalBreakerStore({ clock });
  const one = createCircuitBreaker({ clock, store });
  const two = createCircuitBreaker({ clock, store });
  two.dispose();
  await fail(one);
  expect(two.state).toBe('closed');
  await fail(two);
  expect(two.state).toBe('open');
  clock.advance(60_000);
  expect(await call(two)).toBe('ok');
  expect(one.state).toBe('half_open');
});

test('a group keeps one breaker a name, and forgets closed ones first when it is full', async () => {
  const group = createBreakerGroup({ maxBreakers: 3 });
  const first = group.get('a');
  expect(group.get('a')).toBe(first);
  await group.get('b').open();
  group.get('c');
  group.get('a');
  group.get('d');
  expect(group.list().map((breaker) => breaker.name)).toEqual(['b', 'a', 'd']);
  expect(group.find('c')).toBeUndefined();
  expect(group.find('a')).toBe(first);
  await group.get('a').open();
  await group.get('d').open();
  group.get('e');
  expect(group.list().map((breaker) => breaker.name)).toEqual(['a', 'd', 'e']);
  group.dispose();
  expect(group.list()).toEqual([]);
});
