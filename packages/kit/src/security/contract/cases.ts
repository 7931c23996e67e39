import assert from 'node:assert/strict';
import type { Ban, BanStore } from '../bans/index.ts';
import type { BanStoreHarness } from './harness.ts';

type Run = (harness: BanStoreHarness) => Promise<void>;

const noon = Date.UTC(2026, 0, 1, 12);
const minute = 60_000;

function automatic(range: string, endsAtMs: number, fields: Partial<Ban> = {}): Ban {
  return { range, reason: 'key_guessing', source: 'automatic', bannedAtMs: noon, endsAtMs, repeats: 0, by: null, note: null, ...fields };
}

function manual(range: string, endsAtMs: number | null, fields: Partial<Ban> = {}): Ban {
  return { ...automatic(range, 0), reason: 'manual', source: 'manual', endsAtMs, by: 'user-1', ...fields };
}

/** Hears what a store tells, as words. */
async function listen(store: BanStore): Promise<{ readonly heard: string[]; end(): Promise<void> }> {
  const heard: string[] = [];
  const end = await store.subscribe({
    onAdded: ({ range, endsAtMs }) => heard.push(`${range} until ${endsAtMs}`),
    onLifted: (range) => heard.push(`${range} lifted`),
    // A store that cannot push: the cases about what is heard do not apply.
    onMissed: () => {},
  });
  return { heard, end: async () => end() };
}

async function loaded(store: BanStore, endedAfterMs = noon): Promise<readonly Ban[]> {
  return [...(await store.load(endedAfterMs))].sort((a, b) => (a.range < b.range ? -1 : 1));
}

export const cases: Readonly<Record<string, Run>> = {
  'an empty store has no bans': async ({ connect }) => {
    const store = await connect();
    assert.deepEqual(await loaded(store, 0), []);
    assert.equal(await store.lift('203.0.113.7'), undefined);
    assert.equal(await store.prune(noon), 0);
    assert.deepEqual(await store.put([]), []);
  },

  'every field of a ban comes back as it was given, at another instance too': async ({ connect }) => {
    const store = await connect();
    const bans = [
      automatic('198.51.100.0/24', noon + minute + 1, { repeats: 7, reason: 'endpoint_scanning' }),
      automatic('2001:db8::/64', noon + 365 * 86_400_000),
      manual('2001:db8::1', null, { note: 'Größe "x" \\ \u{1F6AB}\nline; DROP TABLE bans; --', by: "o'brien" }),
      manual('203.0.113.7', noon + minute, { note: null, by: null }),
    ];
    assert.deepEqual(await store.put(bans), bans);
    assert.deepEqual(await loaded(store), bans);
    assert.deepEqual(await loaded(await connect()), bans);
  },

  'bans that ended are loaded from the time that is asked for, and those without an end always': async ({ connect }) => {
    const store = await connect();
    const [first, second, endless] = [automatic('192.0.2.1', noon + 1), automatic('192.0.2.2', noon + 2), manual('192.0.2.3', null)];
    await store.put([first, second, endless]);
    assert.deepEqual(await loaded(store, noon), [first, second, endless]);
    assert.deepEqual(await loaded(store, noon + 1), [second, endless]);
    assert.deepEqual(await loaded(store, noon + 1e9), [endless]);
  },

  'of two automatic bans of a range the one that ends later stands': async ({ connect }) => {
    const store = await connect();
    const long = automatic('192.0.2.1', noon + 10 * minute);
    const short = automatic('192.0.2.1', noon + 5 * minute, { reason: 'endpoint_scanning', repeats: 2 });
    assert.deepEqual(await store.put([long]), [long]);
    assert.deepEqual(await store.put([short]), [long]);
    assert.deepEqual(await loaded(store), [long]);
    const alike = { ...long, reason: 'endpoint_scanning' };
    assert.deepEqual(await store.put([alike]), [alike], 'of two that end together, the one that was written last');
    const longer = automatic('192.0.2.1', noon + 20 * minute, { repeats: 1, bannedAtMs: noon + minute });
    assert.deepEqual(await store.put([longer]), [longer]);
    assert.deepEqual(await loaded(store), [longer]);
  },

  'no automatic ban takes the place of a manual one that is in force': async ({ connect }) => {
    const store = await connect();
    const endless = manual('192.0.2.1', null);
    const short = manual('192.0.2.2', noon + minute);
    await store.put([endless, short]);
    const later = noon + 60 * minute;
    assert.deepEqual(await store.put([automatic('192.0.2.1', later), automatic('192.0.2.2', later)]), [endless, short]);
    assert.deepEqual(await loaded(store), [endless, short]);
    const next = automatic('192.0.2.2', later, { bannedAtMs: noon + minute });
    assert.deepEqual(await store.put([next]), [next]);
  },

  'a manual ban takes the place of any': async ({ connect }) => {
    const store = await connect();
    await store.put([automatic('192.0.2.1', noon + 60 * minute), manual('192.0.2.2', null)]);
    const shorter = [manual('192.0.2.1', noon + minute), manual('192.0.2.2', noon + minute, { by: 'user-2' })];
    assert.deepEqual(await store.put(shorter), shorter);
    assert.deepEqual(await loaded(store), shorter);
  },

  'ranges that share an address are different ranges': async ({ connect }) => {
    const store = await connect();
    const bans = ['10.0.0.0', '10.0.0.0/16', '10.0.0.0/24', '2001:db8::', '2001:db8::/64'].map((range) => automatic(range, noon + minute));
    await store.put(bans);
    assert.deepEqual(await loaded(store), bans);
    assert.deepEqual(await store.lift('10.0.0.0/16'), bans[1]);
    assert.deepEqual(
      (await loaded(store)).map(({ range }) => range),
      ['10.0.0.0', '10.0.0.0/24', '2001:db8::', '2001:db8::/64'],
    );
  },

  'what is lifted is gone, at every instance, and a ban after it is a new one': async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    const ban = automatic('192.0.2.1', noon + 60 * minute, { repeats: 3 });
    await here.put([ban]);
    assert.deepEqual(await there.lift('192.0.2.1'), ban);
    assert.equal(await here.lift('192.0.2.1'), undefined);
    assert.deepEqual(await loaded(here, 0), []);
    const shorter = automatic('192.0.2.1', noon + minute);
    assert.deepEqual(await here.put([shorter]), [shorter]);
  },

  'pruning removes what ended by then, and nothing else': async ({ connect }) => {
    const store = await connect();
    const bans = [automatic('192.0.2.1', noon), automatic('192.0.2.2', noon + 1), manual('192.0.2.3', null), manual('192.0.2.4', noon - 1)];
    await store.put(bans);
    assert.equal(await store.prune(noon), 2);
    assert.equal(await store.prune(noon), 0);
    assert.deepEqual(await loaded(store, 0), [bans[1], bans[2]]);
  },

  'whoever subscribed hears of what others and itself change, in order': async ({ connect, delivered }) => {
    const [here, there] = [await connect(), await connect()];
    const [own, other] = [await listen(here), await listen(there)];
    await here.put([automatic('192.0.2.1', noon + minute)]);
    await there.put([automatic('192.0.2.1', noon + 2 * minute)]);
    await here.lift('192.0.2.1');
    await there.put([manual('192.0.2.1', null)]);
    await delivered();
    const told = [`192.0.2.1 until ${noon + minute}`, `192.0.2.1 until ${noon + 2 * minute}`, '192.0.2.1 lifted', '192.0.2.1 until null'];
    for (const { heard } of [own, other]) {
      assert.equal(heard.at(-1), told.at(-1));
      // What was replaced before it could be told need not be; what is told comes in order.
      assert.deepEqual(
        heard,
        told.filter((word) => heard.includes(word)),
      );
    }
    await own.end();
    await other.end();
  },

  'what changes nothing is not told as a change': async ({ connect, delivered }) => {
    const store = await connect();
    await store.put([manual('192.0.2.1', null), automatic('192.0.2.2', noon + 10 * minute)]);
    await delivered();
    const { heard, end } = await listen(store);
    await store.put([automatic('192.0.2.1', noon + minute), automatic('192.0.2.2', noon + minute)]);
    await store.lift('192.0.2.9');
    await delivered();
    assert.deepEqual(heard, []);
    await end();
  },

  'whoever ended a subscription hears nothing, and others go on': async ({ connect, delivered }) => {
    const store = await connect();
    const [first, second] = [await listen(store), await listen(store)];
    await first.end();
    await first.end();
    await store.put([automatic('192.0.2.1', noon + minute)]);
    await delivered();
    assert.deepEqual([first.heard, second.heard.length], [[], 1]);
    await second.end();
  },

  'instances that ban the same at the same time come to one ban, and all hear which': async ({ connect, delivered }) => {
    const stores = await Promise.all(Array.from({ length: 4 }, async () => connect()));
    const heard = await Promise.all(stores.map(listen));
    await Promise.all(stores.map(async (store, at) => store.put([automatic('192.0.2.1', noon + minute + at, { bannedAtMs: noon + at })])));
    await delivered();
    const last = automatic('192.0.2.1', noon + minute + 3, { bannedAtMs: noon + 3 });
    assert.deepEqual(await loaded(stores[0]!), [last]);
    for (const { heard: told, end } of heard) {
      assert.equal(told.at(-1), `192.0.2.1 until ${noon + minute + 3}`);
      await end();
    }
  },

  'many bans are written in one step, and told one by one': async ({ connect, delivered }) => {
    const [here, there] = [await connect(), await connect()];
    const { heard, end } = await listen(there);
    const bans = Array.from({ length: 500 }, (_, at) => automatic(`2001:db8:0:${(at + 4096).toString(16)}::/64`, noon + minute));
    assert.deepEqual(await here.put(bans), bans);
    assert.deepEqual(await loaded(there), bans);
    await delivered();
    assert.deepEqual(new Set(heard), new Set(bans.map(({ range, endsAtMs }) => `${range} until ${endsAtMs}`)));
    await end();
  },
};
