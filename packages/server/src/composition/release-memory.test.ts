import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, onTestFinished, test } from 'vitest';
import { releaseMemoryWhenIdle } from './release-memory.ts';

function open() {
  const clock = createFakeClock();
  const state = { busyShare: 0, inFlight: 0, youngBytes: 50 * 2 ** 20, collections: 0 };
  const stop = releaseMemoryWhenIdle({
    clock,
    takeBusyShare: () => state.busyShare,
    inFlight: () => state.inFlight,
    youngBytes: () => state.youngBytes,
    collect: () => void state.collections++,
  });
  onTestFinished(stop);
  return { clock, state, stop };
}

test('memory is given back after the start, and again when nobody has called for ten minutes', () => {
  const { clock, state, stop } = open();
  clock.advance(4_999);
  expect(state.collections).toBe(0);
  clock.advance(1);
  expect(state.collections).toBe(1);
  clock.advance(599_999);
  expect(state.collections).toBe(1);
  clock.advance(5_001);
  expect(state.collections).toBe(2);
  stop();
  clock.advance(6_000_000);
  expect(state.collections).toBe(2);
});

test('who is idle between calls keeps the compiled code', () => {
  const { clock, state } = open();
  state.busyShare = 0.5;
  clock.advance(5_000);
  for (let round = 0; round < 10; round++) {
    state.busyShare = 0.5;
    clock.advance(5_000);
    state.busyShare = 0;
    clock.advance(590_000);
  }
  expect(state.collections).toBe(0);
  clock.advance(15_000);
  expect(state.collections).toBe(1);
});

test.each([
  ['that is busy', { busyShare: 0.03 }],
  ['with a call under way', { inFlight: 1 }],
  ['that has nothing to give back', { youngBytes: 8 * 2 ** 20 }],
])('a server %s is not stopped for it', (_which, of) => {
  const { clock, state } = open();
  Object.assign(state, of);
  clock.advance(120_000);
  expect(state.collections).toBe(0);
});

test('the collection makes the young generation small, and leaves no way to it behind', () => {
  const program = `
    const { collectForWantOfMemory, youngGenerationBytes } = await import(${JSON.stringify(fileURLToPath(new URL('release-memory.ts', import.meta.url)))});
    let kept = [];
    for (let round = 0; round < 200; round++) { kept = Array.from({ length: 20_000 }, (_, at) => ({ at, round })); }
    const before = youngGenerationBytes();
    collectForWantOfMemory();
    console.log(JSON.stringify({ before, after: youngGenerationBytes(), open: typeof gc }));`;
  const { before, after, open } = JSON.parse(
    execFileSync(process.execPath, ['--conditions=dev-source', '--input-type=module', '-e', program], { encoding: 'utf8' }),
  ) as { before: number; after: number; open: string };
  expect(before).toBeGreaterThan(8 * 2 ** 20);
  expect(after).toBeLessThan(2 * 2 ** 20);
  expect(open).toBe('undefined');
});
