import { expect, onTestFinished, test } from 'vitest';
import { createFakeClock, createSeededRandom } from '../../testing/index.ts';
import { overloadBegan, overloadEnded, requestShed, type OverloadBegan, type OverloadEnded } from '../events.ts';
import type { LoadSignal } from './load-signal.ts';
import { createOverloadDetector } from './overload-detector.ts';

function setUp(...signals: (Partial<LoadSignal> & { name: string })[]) {
  const clock = createFakeClock();
  const values: Record<string, number> = {};
  const detector = createOverloadDetector({
    clock,
    random: createSeededRandom(7),
    signals: signals.map((signal) => ({ limit: 100, relief: 80, ...signal, read: () => values[signal.name] ?? 0 })),
  });
  const told: (OverloadBegan | OverloadEnded)[] = [];
  const stops = [overloadBegan.subscribe((event) => told.push(event)), overloadEnded.subscribe((event) => told.push(event))];
  onTestFinished(() => {
    detector.close();
    for (const stop of stops) stop();
  });
  return {
    clock,
    detector,
    told,
    /** Lets samples see the value. */
    see(name: string, value: number, samples = 1) {
      values[name] = value;
      clock.advance(500 * samples);
    },
    set: (name: string, value: number) => void (values[name] = value),
    shedOf: (requests: number) => Array.from({ length: requests }, () => detector.check()).filter((reason) => reason !== undefined).length,
  };
}

const loop = { name: 'event_loop_delay', sightings: 2 };

test('nothing is shed at the limit, or below it', () => {
  const { see, shedOf, told } = setUp(loop);
  see('event_loop_delay', 100, 50);
  expect([shedOf(1_000), told]).toEqual([0, []]);
});

test('one bad moment sheds nothing, however long it was; one that lasts does', () => {
  const { see, shedOf, detector } = setUp(loop);
  for (let round = 0; round < 20; round++) {
    see('event_loop_delay', 60_000);
    see('event_loop_delay', 10, 3);
    expect(shedOf(100)).toBe(0);
  }
  // Also when the loop turns quickly between two bad moments.
  see('event_loop_delay', 101);
  see('event_loop_delay', 10, 2);
  see('event_loop_delay', 101);
  expect(shedOf(100)).toBeGreaterThan(0);
  expect(detector.reason).toBe('event_loop_delay');
});

test('the part that is shed grows while it does not help, holds between relief and limit, and shrinks to nothing', () => {
  const { see, detector } = setUp(loop);
  const shares: number[] = [];
  for (const [value, samples] of [
    [150, 1],
    [150, 1],
    [150, 1],
    [150, 1],
    [90, 30],
    [79, 1],
    [79, 4],
    [79, 5],
  ] as const) {
    see('event_loop_delay', value, samples);
    shares.push(detector.share);
  }
  expect(shares).toEqual([0, 0.5, 0.75, 1, 1, 0.9, 0.5, 0]);
});

test('about that part of the requests is refused, the others are let in', () => {
  const { see, shedOf } = setUp(loop);
  see('event_loop_delay', 150, 2);
  const shed = shedOf(10_000);
  expect(shed).toBeGreaterThan(4_700);
  expect(shed).toBeLessThan(5_300);
});

test('a load that swings around the limit does not make it begin and end again and again', () => {
  const { see, told } = setUp(loop);
  see('event_loop_delay', 150, 3);
  for (let round = 0; round < 200; round++) {
    see('event_loop_delay', 95);
    see('event_loop_delay', 70);
    see('event_loop_delay', 150);
    see('event_loop_delay', 150, 2);
  }
  expect(told).toHaveLength(1);
});

test('settles where what is let in can be done', () => {
  const { see, detector, told } = setUp(loop);
  // Twice as many requests come as can be done: the loop is late whenever more than half are let in.
  const shares: number[] = [];
  for (let sample = 0; sample < 400; sample++) {
    see('event_loop_delay', 1 - detector.share > 0.5 ? 300 : 5);
    shares.push(detector.share);
  }
  const later = shares.slice(100);
  expect(later.reduce((sum, share) => sum + share, 0) / later.length).toBeGreaterThan(0.3);
  expect(later.reduce((sum, share) => sum + share, 0) / later.length).toBeLessThan(0.8);
  expect(told).toHaveLength(1);
});

test('a small part is a small part, and nothing is refused where there is none', () => {
  const { detector, see, shedOf } = setUp(loop, { name: 'heap', urgent: true });
  expect([shedOf(1_000), detector.status().map(({ overloaded }) => overloaded)]).toEqual([0, [false, false]]);
  see('event_loop_delay', 150, 2);
  see('event_loop_delay', 10, 4);
  expect(detector.share).toBe(0.1);
  const shed = shedOf(10_000);
  expect(shed).toBeGreaterThan(850);
  expect(shed).toBeLessThan(1_150);
});

test('while it is on, what has to be seen twice to begin it is heeded at once', () => {
  const { see, detector } = setUp(loop);
  see('event_loop_delay', 150, 2);
  see('event_loop_delay', 90, 8);
  expect(detector.share).toBe(0.5);
  see('event_loop_delay', 150);
  expect(detector.share).toBe(0.75);
});

test('one urgent signal among others is enough to shed everything', () => {
  const { see, detector } = setUp(loop, { name: 'heap', urgent: true });
  see('heap', 101);
  expect([detector.share, detector.reason]).toEqual([1, 'heap']);
});

test('an instant signal begins an overload once, however many requests find it', () => {
  const { set, see, shedOf, detector, told } = setUp({ name: 'requests_in_progress', instant: true });
  set('requests_in_progress', 101);
  expect(shedOf(20)).toBe(20);
  see('requests_in_progress', 101);
  expect(shedOf(20)).toBe(20);
  expect([told.length, detector.share]).toEqual([1, 0.75]);
});

test('what is urgent sheds everything at the first sight', () => {
  const { see, shedOf } = setUp({ name: 'heap', urgent: true });
  see('heap', 101);
  expect(shedOf(100)).toBe(100);
  see('heap', 85, 50);
  expect(shedOf(100)).toBe(100);
  see('heap', 20, 10);
  expect(shedOf(100)).toBe(0);
});

test('an instant signal refuses each request beyond its limit without waiting for a sample, and no overload ends while it is above its relief', () => {
  const { set, see, detector, shedOf } = setUp({ name: 'requests_in_progress', instant: true });
  set('requests_in_progress', 100);
  expect(detector.check()).toBeUndefined();
  set('requests_in_progress', 101);
  expect(shedOf(50)).toBe(50);
  see('requests_in_progress', 81, 100);
  expect(detector.share).toBeGreaterThan(0);
  see('requests_in_progress', 79, 10);
  expect(shedOf(50)).toBe(0);
});

test('the reason follows the signal that is still beyond its limit', () => {
  const { set, see, detector } = setUp(loop, { name: 'ledger_queue' });
  set('ledger_queue', 500);
  see('event_loop_delay', 150, 3);
  expect(detector.reason).toBe('event_loop_delay');
  see('event_loop_delay', 1, 30);
  expect([detector.reason, detector.share]).toEqual(['ledger_queue', 1]);
  expect(detector.status()).toEqual([
    { name: 'event_loop_delay', value: 1, limit: 100, overloaded: false },
    { name: 'ledger_queue', value: 500, limit: 100, overloaded: true },
  ]);
});

test('its begin, its end and each refusal are announced', () => {
  const { see, shedOf, told } = setUp({ name: 'heap', urgent: true });
  const reasons: string[] = [];
  const stop = requestShed.subscribe(({ reason }) => reasons.push(reason));
  see('heap', 101, 4);
  shedOf(3);
  see('heap', 1, 10);
  shedOf(3);
  stop();
  expect(reasons).toEqual(['heap', 'heap', 'heap']);
  expect(told).toEqual([
    { reason: 'heap', signals: [{ name: 'heap', value: 101, limit: 100, overloaded: true }] },
    { reason: 'heap', durationMs: 6_500 },
  ]);
});

test('clients are told to wait one to four seconds, not all the same', () => {
  const { detector } = setUp(loop);
  expect(new Set(Array.from({ length: 200 }, () => detector.retryAfterSeconds()))).toEqual(new Set([1, 2, 3, 4]));
});

test('no timer is left when it is closed', () => {
  const { clock, detector } = setUp(loop);
  clock.advance(10_000);
  detector.close();
  expect(clock.pendingTimers).toBe(0);
});

test('nothing is looked at after it was closed, also in the middle of a look', () => {
  const clock = createFakeClock();
  let looks = 0;
  const detector = createOverloadDetector({
    clock,
    random: createSeededRandom(1),
    signals: [{ name: 'a', limit: 1, read: () => (++looks === 2 && detector.close(), 5) }],
  });
  clock.advance(10_000);
  expect([looks, clock.pendingTimers]).toEqual([2, 0]);
});

test('of as many samples as it has to be seen in, only the last four count', () => {
  const { see, detector } = setUp({ name: 'three', sightings: 3 }, { name: 'four', sightings: 4 });
  for (let round = 0; round < 8; round++) {
    see('three', 101);
    see('three', 1);
  }
  expect(detector.share).toBe(0);
  see('three', 101);
  expect(detector.share).toBe(0);
  see('three', 101);
  expect([detector.share, detector.reason]).toEqual([0.5, 'three']);
  see('three', 1, 20);
  expect(detector.share).toBe(0);
  see('four', 101, 3);
  expect(detector.share).toBe(0);
  see('four', 101);
  expect([detector.share, detector.reason]).toEqual([0.5, 'four']);
});

test('the numbers are those that were given, and a signal is relieved at four fifths of its limit', () => {
  const clock = createFakeClock();
  let value = 0;
  const detector = createOverloadDetector({
    clock,
    random: createSeededRandom(1),
    signals: [{ name: 'a', limit: 50, read: () => value }],
    sampleMs: 100,
    firstShare: 0.2,
    growth: 2,
    easing: 0.3,
  });
  onTestFinished(() => detector.close());
  const shares = [51, 51, 51, 51, 50, 40, 39, 39, 39, 39].map((next) => {
    value = next;
    clock.advance(99);
    const before = detector.share;
    clock.advance(1);
    return [before, detector.share];
  });
  expect(shares).toEqual([
    [0, 0.2],
    [0.2, 0.4],
    [0.4, 0.8],
    [0.8, 1],
    [1, 1],
    [1, 1],
    [1, 0.7],
    [0.7, 0.4],
    [0.4, 0.1],
    [0.1, 0],
  ]);
});

test('an instant signal that is also urgent sheds the others’ requests too until it is relieved', () => {
  const { set, see, detector, shedOf } = setUp({ name: 'requests_in_progress', instant: true, urgent: true });
  set('requests_in_progress', 101);
  expect(detector.check()).toBe('requests_in_progress');
  expect([detector.share, detector.status()[0]]).toEqual([1, { name: 'requests_in_progress', value: 101, limit: 100, overloaded: true }]);
  set('requests_in_progress', 90);
  expect(shedOf(10)).toBe(10);
  see('requests_in_progress', 1, 10);
  expect(shedOf(10)).toBe(0);
});

test.each([
  ["the name of a load signal must be in snake_case, not 'Event loop'", { name: 'Event loop' }],
  [`the name of a load signal must be in snake_case, not 'a${'b'.repeat(64)}'`, { name: `a${'b'.repeat(64)}` }],
  ["the name of a load signal must be in snake_case, not 'with_a_tail!'", { name: 'with_a_tail!' }],
  [`the limit of a must be a number ≥ ${Number.MIN_VALUE}, not 0`, { name: 'a', limit: 0 }],
  ['the relief of a must be a number from 0 to 10, not 11', { name: 'a', limit: 10, relief: 11 }],
  ['sightings of a must be a whole number from 1 to 4, not 5', { name: 'a', sightings: 5 }],
  ['sightings of a must be a whole number from 1 to 4, not 0', { name: 'a', sightings: 0 }],
  ['sightings of a must be a whole number from 1 to 4, not 1.5', { name: 'a', sightings: 1.5 }],
])('a signal is refused when it is given: %s', (message, signal) => {
  expect(() => setUp(signal)).toThrow(expect.objectContaining({ code: 'configuration_invalid', message }));
});

test.each([
  ['overload.sampleMs must be a number ≥ 1, not 0', { sampleMs: 0 }],
  ['overload.firstShare must be a number from 0.01 to 1, not 0', { firstShare: 0 }],
  ['overload.firstShare must be a number from 0.01 to 1, not 1.1', { firstShare: 1.1 }],
  ['overload.growth must be a number ≥ 1, not 0.9', { growth: 0.9 }],
  ['overload.easing must be a number from 0.001 to 1, not 0', { easing: 0 }],
  ['overload.easing must be a number from 0.001 to 1, not 1.1', { easing: 1.1 }],
  ["read of a must be a function, not 'it'", { signals: [{ name: 'a', limit: 1, read: 'it' as unknown as () => number }] }],
])('a detector is refused when it is made: %s', (message, options) => {
  expect(() => createOverloadDetector({ clock: createFakeClock(), random: createSeededRandom(1), signals: [], ...options })).toThrow(
    expect.objectContaining({ code: 'configuration_invalid', message }),
  );
});
