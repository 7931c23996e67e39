import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { deadAfterMs, InstanceLease } from './instance-lease.ts';

function setup() {
  const clock = createFakeClock();
  const beats: string[] = [];
  const state = { away: false };
  let next = 0;
  const lease = new InstanceLease({
    async beat(instanceId) {
      if (state.away) throw new Error('away');
      beats.push(instanceId);
    },
    newId: () => `instance-${next++}`,
    clock,
  });
  return { clock, beats, state, lease };
}

test('an instance says that it is alive well within the time in which others give it up', async () => {
  const { clock, beats, lease } = setup();
  await lease.start();
  await clock.advanceAsync(deadAfterMs);
  expect(beats.length).toBeGreaterThan(5);
  expect(new Set(beats)).toEqual(new Set(['instance-0']));
  expect(lease.holds('instance-0')).toBe(true);
});

test('it holds its lease for lost long before the others do, and goes on under another name', async () => {
  const { clock, beats, state, lease } = setup();
  await lease.start();
  state.away = true;
  await clock.advanceAsync(deadAfterMs / 2);
  expect(lease.valid).toBe(false);
  expect(lease.holds('instance-0')).toBe(false);
  state.away = false;
  await clock.advanceAsync(1_000);
  expect(lease.valid).toBe(true);
  expect(lease.holds('instance-0')).toBe(false);
  expect(lease.instanceId).not.toBe('instance-0');
  expect(beats.at(-1)).toBe(lease.instanceId);
});

test('a short outage costs it nothing', async () => {
  const { clock, state, lease } = setup();
  await lease.start();
  state.away = true;
  await clock.advanceAsync(10_000);
  state.away = false;
  await clock.advanceAsync(1_000);
  expect(lease.holds('instance-0')).toBe(true);
});

test('while the database is away it is asked again soon, not at the next beat', async () => {
  const { clock, beats, lease } = setup();
  await lease.start();
  const before = beats.length;
  lease.beatSoon();
  await clock.advanceAsync(600);
  expect(beats.length).toBe(before + 1);
});

test('being asked again and again does not put the question off', async () => {
  const { clock, beats, lease } = setup();
  await lease.start();
  const before = beats.length;
  for (let asked = 0; asked < 10; asked++) {
    lease.beatSoon();
    await clock.advanceAsync(100);
  }
  expect(beats.length).toBeGreaterThan(before);
});

test('it does not start without a database, and leaves no timer when it stops', async () => {
  const { clock, state, lease } = setup();
  state.away = true;
  await expect(lease.start()).rejects.toThrow('away');
  state.away = false;
  await lease.start();
  lease.stop();
  await clock.advanceAsync(60_000);
  expect(clock.pendingTimers).toBe(0);
});
