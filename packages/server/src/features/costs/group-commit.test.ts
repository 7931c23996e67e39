import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';

class Away extends Error {}

function setup(commit: GroupCommitOptions<number>['commit'], overrides: Partial<GroupCommitOptions<number>> = {}) {
  const clock = createFakeClock();
  const group = new GroupCommit<number>({
    commit,
    mayPass: (error) => error instanceof Away,
    clock,
    patienceMs: 1_000,
    pauseMs: 100,
    maxBatch: 4,
    ...overrides,
  });
  return { clock, group };
}

/** A database played by hand: each commit waits until the test lets it end. */
class Held {
  readonly batches: (readonly number[])[] = [];
  readonly #ends: ((error?: unknown) => void)[] = [];
  readonly commit = (items: readonly number[]): Promise<void> => {
    this.batches.push(items);
    return new Promise((resolve, reject) => this.#ends.push((error) => (error === undefined ? resolve() : reject(error as Error))));
  };
  end(error?: unknown): void {
    this.#ends.shift()!(error);
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('GroupCommit', () => {
  test('a lone item is committed at once, without a timer', async () => {
    const held = new Held();
    const { clock, group } = setup(held.commit);
    const added = group.add(1);
    await turn();
    expect(held.batches).toEqual([[1]]);
    expect(clock.pendingTimers).toBe(0);
    held.end();
    await added;
  });

  test('what comes while a commit runs goes together in the next, and never two at once', async () => {
    const held = new Held();
    const { group } = setup(held.commit);
    const first = group.add(1);
    await turn();
    const others = [2, 3, 4].map((item) => group.add(item));
    await turn();
    expect(held.batches).toEqual([[1]]);
    held.end();
    await first;
    await turn();
    expect(held.batches).toEqual([[1], [2, 3, 4]]);
    held.end();
    await Promise.all(others);
    await group.idle();
  });

  test('a commit takes no more than its share', async () => {
    const batches: number[] = [];
    const { group } = setup(async (items) => void batches.push(items.length));
    await Promise.all(Array.from({ length: 10 }, (_, item) => group.add(item)));
    expect(batches).toEqual([4, 4, 2]);
  });

  test('nobody is told that it is durable before it is', async () => {
    const held = new Held();
    const { group } = setup(held.commit);
    let told = false;
    const added = group.add(1).then(() => (told = true));
    await turn();
    expect(told).toBe(false);
    held.end();
    await added;
    expect(told).toBe(true);
  });

  test('while the database is away items wait, and are committed when it is back', async () => {
    let away = true;
    const committed: number[] = [];
    const { clock, group } = setup(async (items) => {
      if (away) throw new Away();
      committed.push(...items);
    });
    const added = Promise.all([group.add(1), group.add(2)]);
    await clock.advanceAsync(300);
    expect(group.failedAt).toBeDefined();
    away = false;
    await clock.advanceAsync(100);
    await added;
    expect(committed).toEqual([1, 2]);
    expect(group.failedAt).toBeUndefined();
  });

  test('past its patience an item fails with the reason, and later ones go on', async () => {
    const reason = new Away('gone');
    let away = true;
    const { clock, group } = setup(async () => {
      if (away) throw reason;
    });
    const failed = expect(group.add(1)).rejects.toBe(reason);
    await clock.advanceAsync(1_100);
    await failed;
    away = false;
    const added = group.add(2);
    await clock.advanceAsync(100);
    await added;
  });

  test('what lingers past its patience is committed when the database is back, and nobody waits for it', async () => {
    let away = true;
    const committed: number[] = [];
    const { clock, group } = setup(
      async (items) => {
        if (away) throw new Away();
        committed.push(...items);
      },
      { linger: (item) => (item === 1 ? 100 : undefined), maxLingering: 1 },
    );
    const failed = Promise.allSettled([group.add(1), group.add(2), group.add(1)]);
    await clock.advanceAsync(1_100);
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await group.idle();
    away = false;
    await clock.advanceAsync(200);
    expect(committed).toEqual([100]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('one bad item fails alone', async () => {
    const committed: number[] = [];
    const { group } = setup(async (items) => {
      if (items.includes(2)) throw new Error('bad item');
      committed.push(...items);
    });
    const results = await Promise.allSettled([1, 2, 3].map((item) => group.add(item)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(new Set(committed)).toEqual(new Set([1, 3]));
    expect(group.failedAt).toBeUndefined();
  });

  test('a first try that meets what an earlier one left is repeated whole, as a repetition', async () => {
    const tries: [readonly number[], boolean][] = [];
    const { group } = setup(async (items, again) => {
      tries.push([items, again]);
      if (!again) throw new Error('stored already');
    });
    await Promise.all([group.add(1), group.add(2)]);
    expect(tries).toEqual([
      [[1, 2], false],
      [[1, 2], true],
    ]);
  });

  test('over any schedule of failures an item that was acknowledged is stored, and one that was not is not believed to be', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 40 }), async (seed, count) => {
        const random = createSeededRandom(seed);
        const stored = new Set<number>();
        const { clock, group } = setup(async (items, again) => {
          await Promise.resolve();
          const fate = random.next();
          // Lost before, lost after (the answer of a commit that happened), refused for its content, or well.
          if (fate < 0.2) throw new Away();
          if (items.some((item) => item % 7 === 3)) throw new Error('bad item');
          if (!again && items.some((item) => stored.has(item))) throw new Error('stored already');
          for (const item of items) stored.add(item);
          if (fate < 0.4) throw new Away();
        });
        const acknowledged = new Set<number>();
        const settled = Array.from({ length: count }, (_, item) =>
          group.add(item).then(
            () => acknowledged.add(item),
            () => {},
          ),
        );
        for (let step = 0; step < 30; step++) await clock.advanceAsync(100);
        await Promise.all(settled);
        for (const item of acknowledged) expect(stored.has(item)).toBe(true);
        for (const item of acknowledged) expect(item % 7).not.toBe(3);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
