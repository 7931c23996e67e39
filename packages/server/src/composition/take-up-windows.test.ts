import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { instance } from './configuration.ts';
import { takeUpWindows } from './take-up-windows.ts';

const { host, pid } = instance;
const stored = [`${host}:${pid}`, `${host}:77`, `${host}:88`, `other:${pid}`, `${host}:x`].map((name, minute) => ({
  ...{ instance: name, minute, source: 's', record: {} },
}));

async function takenUp(alone: boolean, fail = false): Promise<number[]> {
  const taken: number[] = [];
  await takeUpWindows({
    windows: { takeUp: (minute) => void taken.push(minute) },
    store: { readLatest: () => (fail ? Promise.reject(new Error('away')) : Promise.resolve(stored)) },
    clock: createFakeClock(),
    alone,
    isRunning: (of) => of === 88,
  });
  return taken;
}

test('windows go on from what processes before this one saw, and from nothing that one beside it sees', async () => {
  expect(await takenUp(false)).toEqual([0, 1]);
  expect(await takenUp(true)).toEqual([0, 1, 2, 3, 4]);
});

test('a database that is away leaves them empty', async () => {
  expect(await takenUp(true, true)).toEqual([]);
});
