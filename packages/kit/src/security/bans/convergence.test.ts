import fc from 'fast-check';
import { createFakeClock, createSeededRandom, type FakeClock } from '../../testing/index.ts';
import type { Random } from '../../time/index.ts';
import { expect, test } from 'vitest';
import { parseIpRange } from '../ip/index.ts';
import { createBanBook, createMemoryBanStore, isInForce, type BanBook, type BanStore, type BanStoreListener } from './index.ts';

/** The connection of one instance: slow, out of order with its answers, cut at will, and in doubt about what it was cut off from. */
function connect(store: BanStore, clock: FakeClock, random: Random) {
  const state = { cut: false };
  const wait = (mostMs: number) => new Promise<void>((resolve) => clock.setTimeout(resolve, random.next() * mostMs));
  const slowly =
    <Args extends unknown[], Result>(call: (...args: Args) => Result | Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await wait(50);
      if (state.cut) throw new Error('cut off before');
      const result = await call(...args);
      await wait(50);
      // Done, and nobody heard that it was.
      if (state.cut || random.next() < 0.1) throw new Error('cut off after');
      return result;
    };
  let heard = Promise.resolve();
  let told: BanStoreListener | undefined;
  const connection: BanStore = {
    load: slowly(store.load),
    put: slowly(store.put),
    lift: slowly(store.lift),
    prune: slowly(store.prune),
    subscribe(listener: BanStoreListener) {
      told = listener;
      // In the order of the store, late, and lost while the connection is cut.
      const later = (tell: () => void) => {
        heard = heard.then(() => wait(40)).then(() => (state.cut ? undefined : tell()));
      };
      return store.subscribe({
        onAdded: (ban) => later(() => listener.onAdded(ban)),
        onLifted: (range) => later(() => listener.onLifted(range)),
        onMissed: () => {},
      });
    },
  };
  return { state, connection, missed: () => told?.onMissed() };
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('ban' as const), book: fc.nat(2), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('add' as const), book: fc.nat(2), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('lift' as const), book: fc.nat(2), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('cut' as const), book: fc.nat(2), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('restore' as const), book: fc.nat(2), who: fc.nat(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({ verb: fc.constant('wait' as const), book: fc.nat(2), who: fc.constantFrom(1, 20, 200, 2_000, 400_000) }),
  },
);

test('whatever is decided, cut off, late or in doubt: in the end every instance has the bans of the store, and no others', async () => {
  const clients = ['203.0.113.0', '203.0.113.1', '2001:db8::/64'].map((text) => parseIpRange(text)!);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(), async (steps, seed) => {
      const clock = createFakeClock();
      const random = createSeededRandom(seed);
      const store = createMemoryBanStore();
      const links = Array.from({ length: 3 }, () => connect(store, clock, random));
      const books: BanBook[] = links.map(({ connection }) => createBanBook({ store: connection, clock }));
      const alive: number[] = [];
      for (const [at, book] of books.entries()) {
        // A start may fail; then there is one instance less.
        const started = book.start().then(
          () => alive.push(at),
          () => {},
        );
        await clock.advanceAsync(200);
        await started;
      }
      const operations: Promise<unknown>[] = [];
      for (const { verb, book, who } of steps) {
        if (verb === 'wait') await clock.advanceAsync(who);
        if (!alive.includes(book)) continue;
        if (verb === 'ban') books[book]!.ban(clients[who]!, 'key_guessing');
        if (verb === 'add') operations.push(books[book]!.add({ range: clients[who]!.text }).catch(() => {}));
        if (verb === 'lift') operations.push(books[book]!.lift(clients[who]!.text).catch(() => {}));
        if (verb === 'cut') links[book]!.state.cut = true;
        if (verb === 'restore' && links[book]!.state.cut) {
          links[book]!.state.cut = false;
          links[book]!.missed();
        }
      }
      // Those that were never cut off get no second chance: what they heard has to be enough.
      for (const link of links.filter(({ state }) => state.cut)) {
        link.state.cut = false;
        link.missed();
      }
      await clock.advanceAsync(60_000);
      await Promise.all(operations);
      const standing = (await store.load(0)).filter((ban) => isInForce(ban, clock.now()));
      const inOrder = (bans: readonly { readonly range: string }[]) => [...bans].sort((a, b) => (a.range < b.range ? -1 : 1));
      for (const at of alive) expect(inOrder(books[at]!.list().bans)).toEqual(inOrder(standing));
      for (const at of alive) {
        const closed = books[at]!.close();
        await clock.advanceAsync(10_000);
        await closed;
      }
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 300 },
  );
}, 30_000);
