import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import type { Random } from '@holdfast/kit/time';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { availableFirst, configuredOrder, orderByCost, Latencies, latencyOrder, weightedOrder, type TargetOrdering } from './index.ts';

const names = ['a', 'b', 'c', 'd', 'e'];

/** How often each target is at a place of the order, as a share of the calls. */
function sharesAt(place: number, ordering: TargetOrdering<string>, calls: number): Map<string, number> {
  const shares = new Map<string, number>();
  for (let at = 0; at < calls; at++) {
    const name = ordering.order(undefined)[place]!;
    shares.set(name, (shares.get(name) ?? 0) + 1 / calls);
  }
  return shares;
}

/** Within five standard deviations: by chance, one seed in 1.7 million is beyond. Seeds are fixed, so that a test that passes passes always. */
function expectShare(share: number | undefined, expected: number, calls: number): void {
  expect(Math.abs((share ?? 0) - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / calls));
}

test('every ordering has every target exactly once, also after any history', () => {
  const latencies = fc.array(fc.tuple(fc.nat(4), fc.constantFrom('answered', 'failed', 'dropped'), fc.nat(60_000)), { maxLength: 30 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 5, maxLength: 5 }),
      fc.array(fc.option(fc.nat(3)), { minLength: 5, maxLength: 5 }),
      latencies,
      fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
      fc.integer(),
      (count, weights, costs, history, open, seed) => {
        const targets = names.slice(0, count);
        const clock = createFakeClock();
        const random = createSeededRandom(seed);
        const latencies = new Latencies(clock);
        const byLatency = latencyOrder(
          targets.map((name) => ({ name })),
          latencies,
          random,
        );
        const latency = { order: () => byLatency.order(undefined).map(({ name }) => name) };
        for (const [at, end, elapsedMs] of history) {
          const observer = latencies.of(targets[at % count]!);
          const startedAt = clock.monotonic();
          observer.started(startedAt);
          clock.advance(elapsedMs);
          observer[end](startedAt);
        }
        for (const ordering of [
          configuredOrder(targets),
          weightedOrder(targets, weights.slice(0, count), random),
          { order: () => orderByCost(targets, (target) => costs[names.indexOf(target)]!) },
          latency,
        ]) {
          expect(ordering.order(undefined).toSorted()).toEqual(targets);
          const guarded = availableFirst(ordering, (target) => !open[names.indexOf(target)]);
          const ordered = guarded.order(undefined);
          expect(ordered.toSorted()).toEqual(targets);
          const firstOpen = ordered.findIndex((target) => open[names.indexOf(target)]);
          if (firstOpen >= 0) expect(ordered.slice(firstOpen).every((target) => open[names.indexOf(target)])).toBe(true);
        }
        expect(targets).toEqual(names.slice(0, count));
      },
    ),
  );
});

describe('fallback', () => {
  test('is as configured, call by call', () => {
    expect(configuredOrder(names).order(undefined)).toBe(names);
  });

  test('keeps its order among those that are available, and among those that are not', () => {
    const ordering = availableFirst(configuredOrder(names), (name) => name !== 'a' && name !== 'c');
    expect(ordering.order(undefined)).toEqual(['b', 'd', 'e', 'a', 'c']);
  });
});

describe('weighted', () => {
  test('gives each target its share of the first places', () => {
    const calls = 40_000;
    const shares = sharesAt(0, weightedOrder(['a', 'b', 'c'], [6, 3, 1], createSeededRandom(1)), calls);
    expectShare(shares.get('a'), 0.6, calls);
    expectShare(shares.get('b'), 0.3, calls);
    expectShare(shares.get('c'), 0.1, calls);
  });

  test('shares what a failed target had by the weights of the others', () => {
    const weights = { a: 6, b: 3, c: 1 };
    const ordering = weightedOrder(['a', 'b', 'c'], [6, 3, 1], createSeededRandom(2));
    const orders = Array.from({ length: 60_000 }, () => ordering.order(undefined).join(''));
    for (const [first, second, third] of ['abc', 'bac', 'cab'] as unknown as (keyof typeof weights)[][]) {
      const begun = orders.filter((each) => each.startsWith(first!));
      const share = begun.filter((each) => each[1] === second).length / begun.length;
      expectShare(share, weights[second!] / (weights[second!] + weights[third!]), begun.length);
    }
  });

  test('shares what an unavailable target had by the weights of the others', () => {
    const calls = 40_000;
    const ordering = availableFirst(weightedOrder(['a', 'b', 'c'], [6, 3, 1], createSeededRandom(3)), (name) => name !== 'a');
    const shares = sharesAt(0, ordering, calls);
    expectShare(shares.get('b'), 0.75, calls);
    expectShare(shares.get('c'), 0.25, calls);
  });

  test('never draws weight 0: those come last, as configured', () => {
    const ordering = weightedOrder(['a', 'b', 'c', 'd'], [0, 1, 0, 1], createSeededRandom(4));
    for (let at = 0; at < 100; at++) {
      const ordered = ordering.order(undefined);
      expect(ordered.slice(0, 2).toSorted()).toEqual(['b', 'd']);
      expect(ordered.slice(2)).toEqual(['a', 'c']);
    }
    expect(weightedOrder(['a', 'b'], [0, 0], createSeededRandom(5)).order(undefined)).toEqual(['a', 'b']);
  });

  test('stays within the list at the edges of chance and of rounding', () => {
    const edge = (value: number): Random => ({ next: () => value, bytes: () => Buffer.alloc(0) });
    const weights = [0.1, 0.2, 0.3, 0.1, 0.7];
    for (const value of [0, 1 - 2 ** -53]) expect(weightedOrder(names, weights, edge(value)).order(undefined).toSorted()).toEqual(names);
  });
});

describe('cost', () => {
  test('the cheapest is first, the others follow by price, equal ones as configured, unknown ones last', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(5)), { minLength: 1, maxLength: 8 }), (costs) => {
        const targets = costs.map((_, at) => at);
        const order = orderByCost(targets, (at) => costs[at]!);
        const rank = (at: number) => costs[at] ?? Number.POSITIVE_INFINITY;
        expect(order).toEqual(targets.toSorted((a, b) => (rank(a) === rank(b) ? a - b : rank(a) - rank(b))));
      }),
    );
  });
});

describe('latency', () => {
  /**
   * Calls one after the other, `everyMs` apart, each to the first of the order: a target takes `latencyOf`, or fails after it when
   * that is negative. Returns whom they went to.
   */
  function simulate(targets: readonly string[], seed = 7) {
    const clock = createFakeClock();
    const random = createSeededRandom(seed);
    const latencies = new Latencies(clock);
    const byLatency = latencyOrder(
      targets.map((name) => ({ name })),
      latencies,
      random,
    );
    const ordering = { order: (call: undefined) => byLatency.order(call).map(({ name }) => name) };
    return {
      clock,
      ordering,
      latencies,
      run(calls: number, everyMs: number, latencyOf: (target: string) => number): string[] {
        const chosen: string[] = [];
        for (let at = 0; at < calls; at++) {
          const target = ordering.order(undefined)[0]!;
          chosen.push(target);
          const observer = latencies.of(target);
          const startedAt = clock.monotonic();
          observer.started(startedAt);
          const latencyMs = latencyOf(target);
          // In flight beyond the next call's beginning, where it takes longer.
          clock.setTimeout(() => (latencyMs < 0 ? observer.failed(startedAt) : observer.answered(startedAt)), Math.abs(latencyMs));
          clock.advance(everyMs);
        }
        clock.advance(1_000_000);
        return chosen;
      },
    };
  }
  const shareOf = (target: string, chosen: readonly string[]) => chosen.filter((each) => each === target).length / chosen.length;

  test('converges to the faster one of two, and of five', () => {
    for (const seed of [1, 2, 3]) {
      const pair = simulate(['slow', 'fast'], seed).run(2_000, 500, (target) => (target === 'fast' ? 200 : 2_000));
      expect(shareOf('fast', pair)).toBeGreaterThan(0.9);
      const five = simulate(names, seed).run(2_000, 500, (target) => (target === 'c' ? 200 : 2_000));
      // Of two drawn at random from five, the fastest is one in two cases of five.
      expect(shareOf('c', five)).toBeGreaterThan(0.35);
      expect(Math.max(...['a', 'b', 'd', 'e'].map((name) => shareOf(name, five)))).toBeLessThan(0.25);
    }
  });

  test('leaves a target at the first answer that was slow', () => {
    const { run } = simulate(['a', 'b']);
    run(200, 500, (target) => (target === 'a' ? 100 : 300));
    const chosen = run(50, 500, (target) => (target === 'a' ? 5_000 : 300));
    expect(shareOf('a', chosen)).toBeLessThan(0.1);
  });

  test('leaves a target that has fallen silent before it has answered once', () => {
    const { run, ordering, latencies, clock } = simulate(['a', 'b']);
    run(200, 500, (target) => (target === 'a' ? 100 : 300));
    const observer = latencies.of('a');
    observer.started(clock.monotonic());
    clock.advance(2_000);
    for (let at = 0; at < 10; at++) expect(ordering.order(undefined)[0]).toBe('b');
  });

  test('comes back to a target that has recovered, within minutes', () => {
    const { run } = simulate(['a', 'b']);
    run(200, 500, (target) => (target === 'a' ? 100 : 300));
    run(100, 500, (target) => (target === 'a' ? 10_000 : 300));
    const chosen = run(600, 500, (target) => (target === 'a' ? 100 : 300));
    expect(chosen.indexOf('a')).toBeGreaterThanOrEqual(0);
    expect(shareOf('a', chosen.slice(400))).toBeGreaterThan(0.8);
  });

  test('no failing target is starved for ever, nor asked more than seldom', () => {
    const { run } = simulate(['a', 'b']);
    const chosen = run(2_000, 500, (target) => (target === 'a' ? -1 : 300));
    expect(shareOf('a', chosen)).toBeGreaterThan(0.002);
    expect(shareOf('a', chosen)).toBeLessThan(0.02);
    expect(shareOf('a', run(600, 500, (target) => (target === 'a' ? 100 : 300)).slice(400))).toBeGreaterThan(0.8);
  });

  test('a thousand failures at once put off the next try no longer than a dozen', () => {
    const triesAfter = (failures: number): number => {
      const { run, latencies, clock } = simulate(['a', 'b']);
      run(50, 500, () => 300);
      const observer = latencies.of('a');
      for (let at = 0; at < failures; at++) observer.started(clock.monotonic());
      for (let at = 0; at < failures; at++) observer.failed(clock.monotonic());
      return run(1_000, 500, () => 300).indexOf('a');
    };
    expect(triesAfter(1)).toBeLessThan(triesAfter(12));
    expect(triesAfter(1_000)).toBe(triesAfter(12));
  });

  test('a failure in no time is no fast answer', () => {
    const { run } = simulate(['refuses', 'answers']);
    expect(
      shareOf(
        'refuses',
        run(100, 500, (target) => (target === 'refuses' ? -0.1 : 3_000)),
      ),
    ).toBeLessThan(0.1);
  });

  test('a model that is called once in five minutes does not forget at each call which target is slow', () => {
    const { run } = simulate(['slow', 'fast']);
    const chosen = run(500, 300_000, (target) => (target === 'fast' ? 300 : 6_000));
    expect(shareOf('slow', chosen)).toBeLessThan(0.05);
    expect(shareOf('slow', chosen)).toBeGreaterThan(0);
  });

  test('a cold target is tried at once, and not by a crowd', () => {
    const { ordering, latencies, clock } = simulate(['known', 'cold']);
    const known = latencies.of('known');
    const startedAt = clock.monotonic();
    known.started(startedAt);
    clock.advance(100);
    known.answered(startedAt);
    expect(ordering.order(undefined)).toEqual(['cold', 'known']);
    latencies.of('cold').started(clock.monotonic());
    for (let at = 0; at < 10; at++) expect(ordering.order(undefined)).toEqual(['known', 'cold']);
  });

  test('many at once are spread: the fastest is not given all of them', () => {
    const { ordering, latencies, clock } = simulate(['a', 'b']);
    for (const [name, latencyMs] of [
      ['a', 100],
      ['b', 200],
    ] as const) {
      const observer = latencies.of(name);
      const startedAt = clock.monotonic();
      observer.started(startedAt);
      clock.advance(latencyMs);
      observer.answered(startedAt);
    }
    const counts = { a: 0, b: 0 };
    for (let at = 0; at < 90; at++) {
      const name = ordering.order(undefined)[0] as 'a' | 'b';
      counts[name]++;
      latencies.of(name).started(clock.monotonic());
    }
    // Twice as slow, half as many.
    expect(counts).toEqual({ a: 60, b: 30 });
  });

  test('the loser of a race is known to take at least as long as it was given', () => {
    const { ordering, latencies, clock } = simulate(['a', 'b']);
    const run = (name: string, latencyMs: number, end: 'answered' | 'dropped') => {
      const observer = latencies.of(name);
      const startedAt = clock.monotonic();
      observer.started(startedAt);
      clock.advance(latencyMs);
      observer[end](startedAt);
    };
    run('a', 100, 'answered');
    run('b', 300, 'answered');
    run('a', 50, 'dropped');
    expect(ordering.order(undefined)[0]).toBe('a');
    run('a', 900, 'dropped');
    expect(ordering.order(undefined)[0]).toBe('b');
  });
});
