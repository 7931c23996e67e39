import fc from 'fast-check';
import { createFakeClock, createSeededRandom, type FakeClock } from '../../testing/index.ts';
import { afterEach, expect, test } from 'vitest';
import { parseIp, parseIpRange } from '../ip/index.ts';
import {
  banAdded,
  banEvicted,
  banLifted,
  banStoreLost,
  banStoreRecovered,
  createBanBook,
  createMemoryBanStore,
  type BanBook,
  type BanBookOptions,
  type BanStore,
} from './index.ts';

const minute = 60_000;
const day = 86_400_000;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const ip = (text: string) => parseIp(text)!;
const client = (text: string) => parseIpRange(text)!;

async function startBook(clock: FakeClock, given: Partial<BanBookOptions> = {}): Promise<BanBook> {
  const book = createBanBook({ store: createMemoryBanStore(), clock, ...given });
  await book.start();
  ends.push(() => void book.close());
  return book;
}

/** A store that fails while it is told to. */
function createFlakyStore(): BanStore & { away: boolean } {
  const store = createMemoryBanStore();
  const flaky = { away: false };
  const guard =
    <Args extends unknown[], Result>(call: (...args: Args) => Result | Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (flaky.away) throw new Error('the store is away');
      return call(...args);
    };
  return Object.assign(flaky, {
    load: guard(store.load),
    put: guard(store.put),
    lift: guard(store.lift),
    prune: guard(store.prune),
    subscribe: store.subscribe,
  });
}

test('a banned address is refused until the end of its ban, and others are not', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock);
  const ban = book.ban(client('203.0.113.7'), 'key_guessing');
  expect(ban).toMatchObject({ range: '203.0.113.7', endsAtMs: clock.now() + 5 * minute, repeats: 0, source: 'automatic' });
  expect(book.check(ip('203.0.113.7'))).toBe(ban);
  expect(book.check(ip('::ffff:203.0.113.7'))).toBe(ban);
  expect(book.check(ip('203.0.113.8'))).toBeUndefined();
  clock.advance(5 * minute - 1);
  expect([book.check(ip('203.0.113.7')), book.count()]).toEqual([ban, 1]);
  clock.advance(1);
  expect([book.check(ip('203.0.113.7')), book.count()]).toEqual([undefined, 0]);
});

test('whoever has a network of IPv6 addresses is banned with all of them', async () => {
  const book = await startBook(createFakeClock());
  book.ban(client('2001:db8:0:1::/64'), 'endpoint_scanning');
  expect(book.check(ip('2001:db8:0:1:ffff::9'))).toBeDefined();
  expect(book.check(ip('2001:db8:0:2::9'))).toBeUndefined();
});

test('each ban is longer than the one before, up to the longest, and after a time of peace the first again', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock, { durations: { maxMs: 40 * minute, forgetAfterMs: 60 * minute } });
  const lengths: number[] = [];
  for (const peaceMinutes of [0, 1, 59, 59, 59, 60, 59]) {
    const ban = book.ban(client('203.0.113.7'), 'key_guessing')!;
    lengths.push((ban.endsAtMs! - ban.bannedAtMs) / minute);
    clock.advance(ban.endsAtMs! - ban.bannedAtMs + peaceMinutes * minute);
  }
  expect(lengths).toEqual([5, 10, 20, 40, 40, 40, 5]);
});

test('what comes in while a ban lasts does not make it longer', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock);
  const first = book.ban(client('203.0.113.7'), 'key_guessing');
  clock.advance(minute);
  expect(book.ban(client('203.0.113.7'), 'endpoint_scanning')).toBe(first);
});

test('loopback, and what is never banned, pass whatever covers them', async () => {
  const book = await startBook(createFakeClock(), { neverBanned: ['10.0.0.1', '2001:db8:ffff::/48'] });
  for (const range of ['127.0.0.1', '::1', '10.0.0.1', '2001:db8:ffff:1::/64']) {
    expect(book.ban(client(range), 'key_guessing'), range).toBeUndefined();
    await expect(book.add({ range }), range).rejects.toMatchObject({ code: 'invalid_request', details: [{ field: 'range' }] });
  }
  await book.add({ range: '10.0.0.0/8' });
  await book.add({ range: '127.0.0.0/8' }).catch(() => {});
  await book.add({ range: '2001:db8::/32' });
  for (const text of ['10.0.0.1', '127.0.0.1', '2001:db8:ffff::1']) expect(book.check(ip(text)), text).toBeUndefined();
  for (const text of ['10.0.0.2', '2001:db8:fffe::1']) expect(book.check(ip(text)), text).toBeDefined();
});

test('a range that is wider than one that is never banned can be banned around it', async () => {
  const book = await startBook(createFakeClock(), { neverBanned: ['10.0.0.0/24'] });
  await book.add({ range: '10.0.0.0/16' });
  expect([book.check(ip('10.0.0.7')), book.check(ip('10.0.1.7'))?.range]).toEqual([undefined, '10.0.0.0/16']);
});

test('what a person bans is banned at once, without an end if so wished, and no detector shortens it', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock);
  const ban = await book.add({ range: '203.0.113.0/24', by: 'user-1', note: 'asked us to' });
  expect(ban).toEqual({
    range: '203.0.113.0/24',
    reason: 'manual',
    source: 'manual',
    bannedAtMs: clock.now(),
    endsAtMs: null,
    repeats: 0,
    by: 'user-1',
    note: 'asked us to',
  });
  expect(book.ban(client('203.0.113.0/24'), 'key_guessing')).toEqual(ban);
  clock.advance(10 * day);
  expect(book.check(ip('203.0.113.7'))).toEqual(ban);
});

test('a narrow ban that ended does not open a wide one', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock);
  book.ban(client('203.0.113.7'), 'key_guessing');
  await book.add({ range: '203.0.113.0/24', endsAtMs: clock.now() + day });
  clock.advance(6 * minute);
  expect(book.check(ip('203.0.113.7'))).toMatchObject({ range: '203.0.113.0/24' });
  clock.advance(day);
  expect(book.check(ip('203.0.113.7'))).toBeUndefined();
});

test('of bans that cover an address, one that a person made is told, else the one that ends last', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock);
  const manual = await book.add({ range: '2001:db8:0:1::7', endsAtMs: clock.now() + minute });
  const wide = book.ban(client('2001:db8:0:1::/64'), 'endpoint_scanning');
  expect([book.check(ip('2001:db8:0:1::7')), book.check(ip('2001:db8:0:1::8'))]).toEqual([manual, wide]);
  clock.advance(minute);
  const narrow = book.ban(client('2001:db8:0:1::7'), 'key_guessing');
  expect(book.check(ip('2001:db8:0:1::7'))).toEqual(narrow);
  const wider = await book.add({ range: '2001:db8::/32', endsAtMs: clock.now() + minute });
  expect(book.check(ip('2001:db8:0:1::7'))).toEqual(wider);
  const endless = await book.add({ range: '2001:db8::/33' });
  expect(book.check(ip('2001:db8:0:1::7'))).toEqual(endless);
});

test('a ban by hand is refused when it cannot be meant', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock);
  const wrong = [
    [{ range: 'everybody' }, 'range'],
    [{ range: '0.0.0.0/0' }, 'range'],
    [{ range: '::/0' }, 'range'],
    [{ range: '10.0.0.0/7' }, 'range'],
    [{ range: '203.0.113.7', endsAtMs: clock.now() }, 'ends_at'],
    [{ range: '203.0.113.7', endsAtMs: Number.NaN }, 'ends_at'],
    [{ range: '203.0.113.7', note: 'x'.repeat(501) }, 'note'],
  ] as const;
  for (const [ban, field] of wrong) await expect(book.add(ban)).rejects.toMatchObject({ code: 'invalid_request', details: [{ field }] });
  expect(book.count()).toBe(0);
  await expect(book.lift('nonsense')).rejects.toMatchObject({ code: 'invalid_request' });
  expect(() => book.list({ cursor: 'nonsense' })).toThrow(expect.objectContaining({ code: 'invalid_request' }));
});

test('a lifted ban is over, and forgotten', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock);
  book.ban(client('203.0.113.7'), 'key_guessing');
  clock.advance(6 * minute);
  const second = book.ban(client('203.0.113.7'), 'key_guessing');
  expect(second).toMatchObject({ repeats: 1 });
  expect([book.find('203.0.113.7'), book.find('203.0.113.0/24'), book.find('nonsense')]).toEqual([second, undefined, undefined]);
  expect(await book.lift('203.0.113.7', 'user-1')).toEqual(second);
  expect(book.find('203.0.113.7')).toBeUndefined();
  expect(book.check(ip('203.0.113.7'))).toBeUndefined();
  expect(await book.lift('203.0.113.7')).toBeUndefined();
  expect(book.ban(client('203.0.113.7'), 'key_guessing')).toMatchObject({ repeats: 0 });
});

test('the list shows the newest first, page by page, and skips nothing when a ban goes in between', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock);
  for (let at = 0; at < 10; at++) {
    if (at % 3 === 0) clock.advance(1_000);
    book.ban(client(`203.0.113.${at}`), 'key_guessing');
  }
  const first = book.list({ limit: 4 });
  await book.lift(first.bans[3]!.range);
  const second = book.list({ limit: 4, cursor: first.nextCursor! });
  const third = book.list({ limit: 4, cursor: second.nextCursor! });
  const ranges = [first, second, third].flatMap(({ bans }) => bans.map(({ range }) => range));
  expect(ranges).toEqual([9, 6, 7, 8, 3, 4, 5, 0, 1, 2].map((at) => `203.0.113.${at}`));
  expect(third.nextCursor).toBeUndefined();
  expect(book.list().bans).toHaveLength(9);
});

test('instances with one store know of each other, and come to one ban of what both saw', async () => {
  const clock = createFakeClock();
  const store = createMemoryBanStore();
  const [here, there] = [await startBook(clock, { store }), await startBook(clock, { store })];
  here.ban(client('203.0.113.7'), 'key_guessing');
  there.ban(client('203.0.113.7'), 'endpoint_scanning');
  await clock.advanceAsync(0);
  expect(there.check(ip('203.0.113.7'))).toEqual(here.check(ip('203.0.113.7')));
  clock.advance(6 * minute);
  expect(there.ban(client('203.0.113.7'), 'key_guessing')).toMatchObject({ repeats: 1 });
  await clock.advanceAsync(0);
  await here.lift('203.0.113.7');
  expect(there.check(ip('203.0.113.7'))).toBeUndefined();
});

test('an instance that starts again decides as it did before', async () => {
  const clock = createFakeClock();
  const store = createMemoryBanStore();
  const before = await startBook(clock, { store });
  before.ban(client('203.0.113.7'), 'key_guessing');
  clock.advance(6 * minute);
  before.ban(client('203.0.113.8'), 'key_guessing');
  await before.add({ range: '198.51.100.0/24' });
  await before.close();
  const after = await startBook(clock, { store });
  const asked = ['203.0.113.7', '203.0.113.8', '198.51.100.1', '192.0.2.1'].map(ip);
  expect(asked.map((address) => after.check(address))).toEqual(asked.map((address) => before.check(address)));
  expect(after.ban(client('203.0.113.7'), 'key_guessing')).toMatchObject({ repeats: 1 });
});

test('while the store is away an instance bans by itself, and writes it when the store is back', async () => {
  const clock = createFakeClock();
  const store = createFlakyStore();
  const states: string[] = [];
  ends.push(
    banStoreLost.subscribe(() => states.push('lost')),
    banStoreRecovered.subscribe(({ awayMs }) => states.push(`back after ${awayMs}`)),
  );
  const book = await startBook(clock, { store });
  store.away = true;
  const ban = book.ban(client('203.0.113.7'), 'key_guessing')!;
  book.ban(client('203.0.113.8'), 'key_guessing');
  await clock.advanceAsync(3_000);
  expect(book.check(ip('203.0.113.7'))).toBe(ban);
  await expect(book.add({ range: '192.0.2.1' })).rejects.toThrow('away');
  await expect(book.lift('203.0.113.7')).rejects.toThrow('away');
  expect([book.check(ip('192.0.2.1')), book.check(ip('203.0.113.7'))]).toEqual([undefined, ban]);
  store.away = false;
  await clock.advanceAsync(1_000);
  expect(await store.load(0)).toHaveLength(2);
  expect(states).toEqual(['lost', 'back after 4000']);
  expect(clock.pendingTimers).toBe(1);
});

test('while only writing fails, a load takes nothing back, and the store counts as lost until both work', async () => {
  const clock = createFakeClock();
  const store = createFlakyStore();
  let listener: Parameters<BanStore['subscribe']>[0] | undefined;
  let reads = true;
  const states: string[] = [];
  ends.push(
    banStoreLost.subscribe(() => states.push('lost')),
    banStoreRecovered.subscribe(() => states.push('back')),
  );
  const memory = createMemoryBanStore();
  const halves: BanStore = {
    ...store,
    put: async (bans) => (store.away ? Promise.reject(new Error('away')) : memory.put(bans)),
    load: async (after) => (reads ? memory.load(after) : Promise.reject(new Error('away'))),
    subscribe: (given) => ((listener = given), () => {}),
  };
  const book = await startBook(clock, { store: halves });
  store.away = true;
  const ban = book.ban(client('203.0.113.7'), 'key_guessing');
  await clock.advanceAsync(0);
  listener!.onMissed();
  await clock.advanceAsync(2_000);
  expect([book.check(ip('203.0.113.7')), states]).toEqual([ban, ['lost']]);
  [store.away, reads] = [false, false];
  await clock.advanceAsync(2_000);
  expect(states).toEqual(['lost']);
  reads = true;
  await clock.advanceAsync(1_000);
  expect([states, (await memory.load(0)).length]).toEqual([['lost', 'back'], 1]);
});

test('a write that succeeds while a load hangs does not make the store count as back', async () => {
  const clock = createFakeClock();
  const memory = createMemoryBanStore();
  let listener: Parameters<BanStore['subscribe']>[0] | undefined;
  let answer: 'at once' | 'never' | 'fail' = 'at once';
  let release = () => {};
  const states: string[] = [];
  ends.push(
    banStoreLost.subscribe(() => states.push('lost')),
    banStoreRecovered.subscribe(() => states.push('back')),
  );
  const book = await startBook(clock, {
    store: {
      ...memory,
      subscribe: (given) => ((listener = given), () => {}),
      async load(after) {
        if (answer === 'fail') throw new Error('away');
        if (answer === 'never') await new Promise<void>((resolve) => (release = resolve));
        return memory.load(after);
      },
    },
  });
  answer = 'fail';
  listener!.onMissed();
  await clock.advanceAsync(0);
  answer = 'never';
  await clock.advanceAsync(1_000);
  book.ban(client('203.0.113.7'), 'key_guessing');
  await clock.advanceAsync(0);
  expect([states, (await memory.load(0)).length]).toEqual([['lost'], 1]);
  release();
  await clock.advanceAsync(0);
  expect(states).toEqual(['lost', 'back']);
});

test('what another instance lifts while it is not written here yet is not written any more', async () => {
  const clock = createFakeClock();
  const store = createFlakyStore();
  let listener: Parameters<BanStore['subscribe']>[0] | undefined;
  const book = await startBook(clock, { store: { ...store, subscribe: (given) => ((listener = given), () => {}) } });
  store.away = true;
  book.ban(client('203.0.113.7'), 'key_guessing');
  await clock.advanceAsync(0);
  listener!.onLifted('203.0.113.7');
  store.away = false;
  await clock.advanceAsync(2_000);
  expect([await store.load(0), book.check(ip('203.0.113.7'))]).toEqual([[], undefined]);
});

test('a ban that the store was not told of yet is lifted all the same', async () => {
  const clock = createFakeClock();
  const store = createFlakyStore();
  const book = await startBook(clock, { store });
  store.away = true;
  const ban = book.ban(client('203.0.113.7'), 'key_guessing');
  await clock.advanceAsync(0);
  store.away = false;
  expect(await book.lift('203.0.113.7')).toEqual(ban);
  await clock.advanceAsync(2_000);
  expect([await store.load(0), book.check(ip('203.0.113.7'))]).toEqual([[], undefined]);
});

test('late news of an older ban open no gap, and the answer of an older write forgets no newer ban', async () => {
  const clock = createFakeClock();
  const memory = createMemoryBanStore();
  let listener: Parameters<BanStore['subscribe']>[0] | undefined;
  const releases: (() => void)[] = [];
  const slow: BanStore = {
    ...memory,
    subscribe: (given) => ((listener = given), () => {}),
    async put(bans) {
      await new Promise<void>((resolve) => releases.push(resolve));
      return memory.put(bans);
    },
  };
  const book = await startBook(clock, { store: slow });
  const first = book.ban(client('203.0.113.7'), 'key_guessing')!;
  await clock.advanceAsync(6 * minute);
  const second = book.ban(client('203.0.113.7'), 'key_guessing')!;
  expect(second.repeats).toBe(1);
  listener!.onAdded(first);
  expect(book.check(ip('203.0.113.7'))).toBe(second);
  releases[0]!();
  await clock.advanceAsync(0);
  expect(book.check(ip('203.0.113.7'))).toBe(second);
  releases[1]!();
  await clock.advanceAsync(0);
  expect(await memory.load(0)).toEqual([second]);
});

test('news that may have been missed during a load are loaded after it', async () => {
  const clock = createFakeClock();
  const memory = createMemoryBanStore();
  let listener: Parameters<BanStore['subscribe']>[0] | undefined;
  const releases: (() => void)[] = [];
  const book = createBanBook({
    clock,
    store: {
      ...memory,
      subscribe: (given) => ((listener = given), () => {}),
      async load(after) {
        const bans = memory.load(after);
        await new Promise<void>((resolve) => releases.push(resolve));
        return bans;
      },
    },
  });
  const started = book.start();
  await clock.advanceAsync(0);
  releases[0]!();
  await started;
  listener!.onMissed();
  await memory.put([
    { range: '192.0.2.1', reason: 'manual', source: 'manual', bannedAtMs: 0, endsAtMs: null, repeats: 0, by: null, note: null },
  ]);
  listener!.onMissed();
  for (let load = 1; load < 3; load++) {
    releases[load]!();
    await clock.advanceAsync(0);
  }
  expect(book.check(ip('192.0.2.1'))).toBeDefined();
  await book.close();
});

test('what was missed while the store was away is there when it is back', async () => {
  const clock = createFakeClock();
  const store = createFlakyStore();
  let listener: Parameters<BanStore['subscribe']>[0] | undefined;
  const deaf: BanStore = { ...store, subscribe: (given) => ((listener = given), () => {}) };
  const [here, there] = [await startBook(clock, { store: deaf }), await startBook(clock, { store })];
  here.ban(client('203.0.113.1'), 'key_guessing');
  await clock.advanceAsync(0);
  there.ban(client('203.0.113.2'), 'key_guessing');
  await there.lift('203.0.113.1');
  expect([here.check(ip('203.0.113.1')) !== undefined, here.check(ip('203.0.113.2'))]).toEqual([true, undefined]);
  listener!.onMissed();
  await clock.advanceAsync(0);
  expect([here.check(ip('203.0.113.1')), here.check(ip('203.0.113.2')) !== undefined]).toEqual([undefined, true]);
});

test('a change that is heard while bans are loaded is not undone by the load', async () => {
  const clock = createFakeClock();
  const store = createMemoryBanStore();
  let release = () => {};
  const slow: BanStore = {
    ...store,
    async load(endedAfterMs) {
      const bans = await store.load(endedAfterMs);
      await new Promise<void>((resolve) => (release = resolve));
      return bans;
    },
  };
  const other = await startBook(clock, { store });
  other.ban(client('203.0.113.1'), 'key_guessing');
  await clock.advanceAsync(0);
  const book = createBanBook({ store: slow, clock });
  const started = book.start();
  await clock.advanceAsync(0);
  await other.lift('203.0.113.1');
  other.ban(client('203.0.113.2'), 'key_guessing');
  await clock.advanceAsync(0);
  release();
  await started;
  expect([book.check(ip('203.0.113.1')), book.check(ip('203.0.113.2')) !== undefined]).toEqual([undefined, true]);
  await book.close();
});

test('a ban never reaches the store after the lift that ended it', async () => {
  const clock = createFakeClock();
  const store = createMemoryBanStore();
  let release = () => {};
  const slow: BanStore = {
    ...store,
    async put(bans) {
      await new Promise<void>((resolve) => (release = resolve));
      return store.put(bans);
    },
  };
  const book = await startBook(clock, { store: slow });
  book.ban(client('203.0.113.7'), 'key_guessing');
  await clock.advanceAsync(0);
  const lifted = book.lift('203.0.113.7');
  await clock.advanceAsync(0);
  release();
  expect(await lifted).toMatchObject({ range: '203.0.113.7' });
  await clock.advanceAsync(0);
  expect([await store.load(0), book.check(ip('203.0.113.7'))]).toEqual([[], undefined]);
});

test('a book that cannot load does not start, and leaves nothing running', async () => {
  const clock = createFakeClock();
  const store = createFlakyStore();
  store.away = true;
  await expect(createBanBook({ store, clock }).start()).rejects.toThrow('away');
  expect(clock.pendingTimers).toBe(0);
});

test('what was decided just before the end is written before the book is closed', async () => {
  const clock = createFakeClock();
  const store = createMemoryBanStore();
  const book = await startBook(clock, { store });
  for (let at = 0; at < 1_200; at++) book.ban(client(`10.0.${at >> 8}.${at & 255}`), 'key_guessing');
  await book.close();
  expect(await store.load(0)).toHaveLength(1_200);
});

test('a store that says nothing does not keep a book from being closed', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock, { store: { ...createMemoryBanStore(), put: () => new Promise(() => {}) } });
  book.ban(client('203.0.113.7'), 'key_guessing');
  let closed = false;
  void book.close().then(() => (closed = true));
  await clock.advanceAsync(1_999);
  expect(closed).toBe(false);
  await clock.advanceAsync(2_001);
  expect([closed, clock.pendingTimers]).toEqual([true, 0]);
});

test('a closed book has no timer and hears nothing more', async () => {
  const clock = createFakeClock();
  const store = createFlakyStore();
  const book = await startBook(clock, { store });
  store.away = true;
  book.ban(client('203.0.113.7'), 'key_guessing');
  await clock.advanceAsync(0);
  await book.close();
  await book.close();
  store.away = false;
  await store.put([
    { range: '192.0.2.1', reason: 'manual', source: 'manual', bannedAtMs: 0, endsAtMs: null, repeats: 0, by: null, note: null },
  ]);
  expect([clock.pendingTimers, book.check(ip('192.0.2.1'))]).toEqual([0, undefined]);
});

test('what is long over is forgotten, in memory and in the store', async () => {
  const clock = createFakeClock();
  const store = createMemoryBanStore();
  const book = await startBook(clock, { store, durations: { forgetAfterMs: day } });
  book.ban(client('203.0.113.7'), 'key_guessing');
  await clock.advanceAsync(day);
  expect(await store.load(0)).toHaveLength(1);
  expect(book.remembered).toBe(1);
  await clock.advanceAsync(20 * minute);
  expect([await store.load(0), book.remembered]).toEqual([[], 0]);
});

test('automatic bans beyond the bound push out those that end first, and never what a person banned', async () => {
  const clock = createFakeClock();
  const evicted: string[] = [];
  ends.push(banEvicted.subscribe(({ ban }) => evicted.push(ban.range)));
  const book = await startBook(clock, { maxAutomaticBans: 100 });
  for (let at = 0; at < 10; at++) await book.add({ range: `198.51.100.${at}` });
  for (let at = 0; at < 1_000; at++) {
    clock.advance(10);
    book.ban(client(`10.0.${at >> 8}.${at & 255}`), 'key_guessing');
  }
  expect([book.count(), evicted.length]).toEqual([110, 900]);
  for (let at = 0; at < 10; at++) expect(book.check(ip(`198.51.100.${at}`))).toBeDefined();
  expect(book.check(ip('10.0.3.231'))).toBeDefined();
  const survivors = book.list({ limit: 1_000 }).bans.filter(({ source }) => source === 'automatic');
  expect(survivors.filter(({ range }) => range.startsWith('10.0.3.')).length).toBeGreaterThan(60);
});

test('a range that a person took over no longer counts among the automatic ones', async () => {
  const clock = createFakeClock();
  const book = await startBook(clock, { maxAutomaticBans: 2 });
  for (let at = 0; at < 5; at++) {
    book.ban(client(`203.0.113.${at}`), 'key_guessing');
    await book.add({ range: `203.0.113.${at}` });
  }
  for (const address of ['198.51.100.1', '198.51.100.2']) book.ban(client(address), 'key_guessing');
  expect(book.count()).toBe(7);
});

test('what is pushed out is not written any more, and told only when it was in force', async () => {
  const clock = createFakeClock();
  const store = createFlakyStore();
  const evicted: string[] = [];
  ends.push(banEvicted.subscribe(({ ban }) => evicted.push(ban.range)));
  const book = await startBook(clock, { store, maxAutomaticBans: 1 });
  book.ban(client('203.0.113.1'), 'key_guessing');
  await clock.advanceAsync(6 * minute);
  store.away = true;
  book.ban(client('203.0.113.2'), 'key_guessing');
  expect(evicted).toEqual([]);
  book.ban(client('203.0.113.3'), 'key_guessing');
  expect(evicted).toEqual(['203.0.113.2']);
  await clock.advanceAsync(0);
  store.away = false;
  await clock.advanceAsync(2_000);
  expect((await store.load(0)).map(({ range }) => range)).not.toContain('203.0.113.2');
});

test('bans and lifts are announced where they were decided, once', async () => {
  const clock = createFakeClock();
  const store = createMemoryBanStore();
  const told: string[] = [];
  ends.push(
    banAdded.subscribe(({ ban }) => told.push(`+${ban.range} ${ban.reason}`)),
    banLifted.subscribe(({ ban, by }) => told.push(`-${ban.range} ${by}`)),
  );
  const [here, there] = [await startBook(clock, { store }), await startBook(clock, { store })];
  here.ban(client('203.0.113.7'), 'key_guessing');
  here.ban(client('203.0.113.7'), 'key_guessing');
  await clock.advanceAsync(0);
  await there.add({ range: '192.0.2.0/24' });
  await here.lift('192.0.2.0/24', 'user-2');
  expect(told).toEqual(['+203.0.113.7 key_guessing', '+192.0.2.0/24 manual', '-192.0.2.0/24 user-2']);
});

test('a row that is no range bans nobody and stops nothing', async () => {
  const clock = createFakeClock();
  const store = createMemoryBanStore();
  const ban = { reason: 'x', source: 'manual', bannedAtMs: 0, endsAtMs: null, repeats: 0, by: null, note: null } as const;
  await store.put([
    { ...ban, range: 'broken' },
    { ...ban, range: '192.0.2.1' },
  ]);
  const book = await startBook(clock, { store });
  expect([book.count(), book.check(ip('192.0.2.1'))?.range]).toEqual([1, '192.0.2.1']);
});

test('options that would ban for no time or for ever are refused', () => {
  const wrong: readonly object[] = [
    { durations: { firstMs: 0 } },
    { durations: { factor: 0.5 } },
    { durations: { maxMs: 1_000 } },
    { durations: { forgetAfterMs: Number.NaN } },
    { durations: { first: 1 } },
    { neverBanned: ['everybody'] },
    { maxAutomaticBans: 0 },
    { maxBans: 7 },
  ];
  for (const options of wrong)
    expect(() => createBanBook({ store: createMemoryBanStore(), clock: createFakeClock(), ...options })).toThrow(
      expect.objectContaining({ code: 'configuration_invalid' }),
    );
});

test('whatever happens: bans grow by their rule, memory is bounded, and a restart from the store decides alike', async () => {
  const clients = Array.from({ length: 6 }, (_, at) => client(at < 3 ? `203.0.113.${at}` : `2001:db8:0:${at}::/64`));
  const step = fc.oneof(
    fc.record({ verb: fc.constant('ban' as const), who: fc.nat(5) }),
    fc.record({ verb: fc.constant('wait' as const), ms: fc.constantFrom(1, minute, 5 * minute, 30 * minute, day, day + minute) }),
    fc.record({ verb: fc.constant('lift' as const), who: fc.nat(5) }),
    fc.record({ verb: fc.constant('add' as const), who: fc.nat(5), ms: fc.constantFrom(null, minute) }),
    fc.record({ verb: fc.constant('restart' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = createFakeClock();
      const store = createMemoryBanStore();
      let book = await startBook(clock, { store });
      /** By client: end of its ban and repeats, and whether a person made it. */
      const model = new Map<number, { endsAtMs: number; repeats: number; manual: boolean }>();
      for (const step of steps) {
        const nowMs = clock.now();
        const next = (who: number) => {
          const before = model.get(who);
          if (!before || before.endsAtMs <= nowMs - day) return 0;
          return before.manual ? before.repeats : before.repeats + 1;
        };
        if (step.verb === 'wait') await clock.advanceAsync(step.ms);
        else if (step.verb === 'restart') {
          await book.close();
          book = await startBook(clock, { store });
        } else if (step.verb === 'lift') {
          await book.lift(clients[step.who]!.text);
          model.delete(step.who);
        } else if (step.verb === 'add') {
          const endsAtMs = step.ms === null ? null : nowMs + step.ms;
          model.set(step.who, { endsAtMs: endsAtMs ?? Number.POSITIVE_INFINITY, repeats: next(step.who), manual: true });
          await book.add({ range: clients[step.who]!.text, endsAtMs });
        } else {
          const before = model.get(step.who);
          if (!before || before.endsAtMs <= nowMs) {
            const repeats = next(step.who);
            model.set(step.who, { endsAtMs: nowMs + Math.min(day, 5 * minute * 2 ** repeats), repeats, manual: false });
          }
          book.ban(clients[step.who]!, 'key_guessing');
          await clock.advanceAsync(0);
        }
        for (const [who, { first }] of clients.entries()) {
          const expected = model.get(who);
          const inForce = expected !== undefined && expected.endsAtMs > clock.now();
          const found = book.check(first);
          expect(found && [found.endsAtMs ?? Number.POSITIVE_INFINITY, found.repeats]).toEqual(
            inForce ? [expected.endsAtMs, expected.repeats] : undefined,
          );
        }
      }
      await book.close();
    }),
    { numRuns: 60 },
  );
}, 20_000);

test('as many networks as an attacker likes take no more memory than the bound', async () => {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const book = await startBook(clock, { maxAutomaticBans: 1_000 });
  for (let at = 0; at < 20_000; at++) {
    const group = () => Math.floor(random.next() * 0x1_0000).toString(16);
    book.ban(client(`2001:db8:${group()}:${group()}::/64`), 'key_guessing');
  }
  await clock.advanceAsync(0);
  expect(book.count()).toBeLessThanOrEqual(1_000);
});
