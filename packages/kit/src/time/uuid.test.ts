import { expect, test } from 'vitest';
import { createSeededRandom } from '../testing/index.ts';
import { createUuidV7, firstUuidV7At } from './uuid.ts';

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const msOf = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

function maker(startMs: number) {
  let nowMs = startMs;
  const create = createUuidV7({ now: () => nowMs }, createSeededRandom(1));
  return { create, at: (ms: number) => ((nowMs = ms), create()) };
}

test('an id is a UUID of version 7 with the time of its making, also when the clock goes back', () => {
  const { at } = maker(0);
  for (const ms of [0, 1, 1_795_000_000_000, 1_795_000_000_001, 1_794_999_999_999, 1_794_999_999_999, 2 ** 48 - 1]) {
    const id = at(ms);
    expect(id).toMatch(form);
    expect(msOf(id)).toBe(ms);
    expect(id >= firstUuidV7At(ms)).toBe(true);
  }
});

test('every random bit varies, and none of the others', () => {
  const { create } = maker(1_795_000_000_000);
  const bits = (id: string) => BigInt(`0x${id.replaceAll('-', '')}`);
  let ones = 0n;
  let zeros = 0n;
  const all = new Set<string>();
  for (let made = 0; made < 2_000; made++) {
    const id = create();
    all.add(id);
    ones |= bits(id);
    zeros |= ~bits(id) & ((1n << 128n) - 1n);
  }
  expect(all.size).toBe(2_000);
  const varying = ones & zeros;
  // 12 bits behind the version, 62 behind the variant.
  expect(varying).toBe((0xfffn << 64n) | ((1n << 62n) - 1n));
});
