import { describe, expect, test } from 'vitest';
import { sleep } from '../time/index.ts';
import { createFakeClock } from './fake-clock.ts';

describe('fake clock', () => {
  test('fires timers in order of due time, each at its own time', () => {
    const clock = createFakeClock({ nowMs: 1_000 });
    const fired: [string, number][] = [];
    clock.setTimeout(() => fired.push(['late', clock.now()]), 20);
    clock.setTimeout(() => fired.push(['early', clock.now()]), 10);
    clock.setTimeout(() => fired.push(['early, set later', clock.monotonic()]), 10);
    expect([clock.pendingTimers, clock.nextTimerInMs]).toEqual([3, 10]);
    clock.advance(19);
    expect(fired).toEqual([
      ['early', 1_010],
      ['early, set later', 10],
    ]);
    clock.advance(1);
    expect(fired).toHaveLength(3);
    expect([clock.pendingTimers, clock.nextTimerInMs, clock.now()]).toEqual([0, undefined, 1_020]);
  });

  test('a timer set by a timer fires within the same advance when it is due by then', () => {
    const clock = createFakeClock();
    let fired = 0;
    clock.setTimeout(() => clock.setTimeout(() => fired++, 5), 5);
    clock.advance(9);
    expect(fired).toBe(0);
    clock.advance(1);
    expect(fired).toBe(1);
  });

  test('a cancelled timer never fires, and refreshing it is an error', () => {
    const clock = createFakeClock();
    let fired = 0;
    const timer = clock.setTimeout(() => fired++, 5);
    timer.cancel();
    timer.cancel();
    clock.advance(100);
    expect(fired).toBe(0);
    expect(() => timer.refresh()).toThrow(/cancelled/);
  });

  test('a refreshed timer waits its whole time again, also after it fired', () => {
    const clock = createFakeClock();
    let fired = 0;
    const timer = clock.setTimeout(() => fired++, 10);
    clock.advance(9);
    timer.refresh();
    clock.advance(9);
    expect(fired).toBe(0);
    clock.advance(1);
    timer.refresh();
    clock.advance(10);
    expect(fired).toBe(2);
  });

  test('advanceAsync lets a chain of awaited waits pass in one call', async () => {
    const clock = createFakeClock();
    const steps: number[] = [];
    const chain = (async () => {
      for (let step = 0; step < 5; step++) {
        await sleep(clock, 10);
        steps.push(clock.monotonic());
      }
    })();
    await clock.advanceAsync(50);
    await chain;
    expect(steps).toEqual([10, 20, 30, 40, 50]);
  });

  test('setting the wall clock leaves durations alone', () => {
    const clock = createFakeClock();
    clock.advance(5);
    clock.setNow(42);
    expect([clock.now(), clock.monotonic()]).toEqual([42, 5]);
  });

  test('time never goes back', () => {
    expect(() => createFakeClock().advance(-1)).toThrow(RangeError);
    expect(() => createFakeClock().advance(Number.NaN)).toThrow(RangeError);
  });
});
