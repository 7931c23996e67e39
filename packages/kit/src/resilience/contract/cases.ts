import assert from 'node:assert/strict';
import type { BreakerStore, SharedBreakerState } from '../breaker/index.ts';
import type { BreakerStoreHarness } from './harness.ts';

const open = (generation: number, recoveryMs = 60_000): SharedBreakerState => ({ generation, state: 'open', recoveryMs, byHand: false });
const closed = (generation: number): SharedBreakerState => ({ generation, state: 'closed', recoveryMs: 0, byHand: false });

/** Stores go by clocks of their own, which go on between two calls. */
const toleranceMs = 1_000;

function assertState(state: SharedBreakerState | undefined, expected: SharedBreakerState): void {
  assert.ok(state, 'there is a state');
  const { recoveryMs, ...rest } = state;
  const { recoveryMs: expectedMs, ...expectedRest } = expected;
  assert.deepEqual(rest, expectedRest);
  if (expectedMs === Number.POSITIVE_INFINITY) assert.equal(recoveryMs, expectedMs);
  else assert.ok(recoveryMs <= expectedMs && recoveryMs >= expectedMs - toleranceMs, `${recoveryMs} ms left, not ${expectedMs}`);
}

function watch(store: BreakerStore, name = 'target') {
  const seen: SharedBreakerState[] = [];
  const end = store.watch(
    name,
    (state) => void seen.push(state),
    (error) => {
      throw error;
    },
  );
  return { seen, end };
}

export const cases: Readonly<Record<string, (harness: BreakerStoreHarness) => Promise<void>>> = {
  'a state is told to every instance that watches its name, and to no other': async ({ connect, delivered }) => {
    const [one, two] = [connect(), connect()];
    const watchers = [watch(one), watch(two), watch(two)];
    const other = watch(two, 'other');
    await delivered();
    assertState(await one.publish('target', open(1)), open(1));
    await delivered();
    for (const { seen } of watchers) assertState(seen.at(-1), open(1));
    assert.deepEqual(other.seen, []);
    for (const { end } of [...watchers, other]) end();
  },

  'who watches later hears the state in force, with the time that is left': async ({ connect, advance, delivered }) => {
    const [one, two] = [connect(), connect()];
    const first = watch(one);
    await advance(7_000);
    await one.publish('target', open(1, 60_000));
    await advance(20_000);
    const late = watch(two);
    await delivered();
    assertState(late.seen.at(-1), open(1, 40_000));
    await advance(100_000);
    const later = watch(two);
    await delivered();
    assertState(later.seen.at(-1), open(1, 0));
    for (const { end } of [first, late, later]) end();
  },

  'a breaker that was opened for good has no end of its time': async ({ connect, advance, delivered }) => {
    const [one, two] = [connect(), connect()];
    const first = watch(one);
    const forGood: SharedBreakerState = { generation: 1, state: 'open', recoveryMs: Number.POSITIVE_INFINITY, byHand: true };
    assertState(await one.publish('target', forGood), forGood);
    await advance(3_600_000);
    const late = watch(two);
    await delivered();
    assertState(late.seen.at(-1), forGood);
    first.end();
    late.end();
  },

  'nobody hears anything after the end of a watch': async ({ connect, delivered }) => {
    const [one, two] = [connect(), connect()];
    const stays = watch(one);
    const ends = watch(two);
    await delivered();
    ends.end();
    ends.end();
    await one.publish('target', open(1));
    await delivered();
    assert.deepEqual(ends.seen, []);
    assert.equal(stays.seen.length, 1);
    stays.end();
  },

  'only a newer generation is kept, and the one in force is returned': async ({ connect, delivered }) => {
    const [one, two] = [connect(), connect()];
    const watcher = watch(two);
    await one.publish('target', open(5));
    assertState(await two.publish('target', closed(5)), open(5));
    assertState(await two.publish('target', closed(4)), open(5));
    assertState(await two.publish('target', closed(6)), closed(6));
    await delivered();
    assertState(watcher.seen.at(-1), closed(6));
    assert.ok(!watcher.seen.some(({ generation }) => generation === 4));
    watcher.end();
  },

  'of many who publish the same generation at once, one wins, and all are told the same': async ({ connect }) => {
    const stores = Array.from({ length: 8 }, connect);
    const watcher = watch(stores[0]!);
    const states = stores.map((_store, at) => (at % 2 === 0 ? open(1, 10_000 * (at + 1)) : closed(1)));
    const inForce = await Promise.all(stores.map(async (store, at) => store.publish('target', states[at]!)));
    const winner = states.findIndex(
      ({ state, recoveryMs }) => state === inForce[0]!.state && Math.abs(recoveryMs - inForce[0]!.recoveryMs) <= toleranceMs,
    );
    assert.ok(winner >= 0);
    for (const state of inForce) assertState(state, states[winner]!);
    watcher.end();
  },

  'one instance may probe, until it gives the claim back': async ({ connect }) => {
    const [one, two] = [connect(), connect()];
    const claims = await Promise.all([one, two, one, two].map(async (store) => store.claimProbe('target', 1, 60_000)));
    assert.equal(claims.filter(Boolean).length, 1);
    assert.equal(await two.claimProbe('other', 1, 60_000), true);
    await one.releaseProbe('target', 1);
    assert.equal(await two.claimProbe('target', 1, 60_000), true);
    assert.equal(await one.claimProbe('target', 1, 60_000), false);
  },

  'a claim ends with its lease, and with its generation': async ({ connect, advance }) => {
    const [one, two] = [connect(), connect()];
    assert.equal(await one.claimProbe('target', 1, 5_000), true);
    assert.equal(await two.claimProbe('target', 1, 5_000), false);
    await advance(6_000);
    assert.equal(await two.claimProbe('target', 1, 60_000), true);
    assert.equal(await one.claimProbe('target', 2, 60_000), true);
  },

  'a release of an older generation, or of nothing, takes no claim away': async ({ connect }) => {
    const store = connect();
    await store.releaseProbe('target', 1);
    assert.equal(await store.claimProbe('target', 2, 60_000), true);
    await store.releaseProbe('target', 1);
    assert.equal(await store.claimProbe('target', 2, 60_000), false);
  },
};
