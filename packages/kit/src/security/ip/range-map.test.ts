import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IpAddress, IpRange, parseIp, parseIpRange, RangeMap } from './index.ts';

/** Few bits differ, so that ranges nest, part and meet. */
const addresses = fc
  .tuple(fc.constantFrom(0, 0x2001_0db8), fc.constantFrom(0, 1, 0x8000_0000), fc.constantFrom(0, 0xffff), fc.integer({ min: 0, max: 7 }))
  .map(([a, b, c, d]) => new IpAddress(a, b, c, d << 29));
const ranges = fc
  .tuple(addresses, fc.constantFrom(0, 1, 31, 32, 33, 64, 65, 96, 97, 98, 99, 127, 128))
  .map(([first, length]) => new IpRange(first, length));
const steps = fc.array(fc.tuple(fc.constantFrom('set', 'set', 'delete'), ranges), { maxLength: 60 });

test('finds what a list of all ranges would find, whatever was set and deleted before', () => {
  fc.assert(
    fc.property(steps, fc.array(addresses, { minLength: 1, maxLength: 10 }), (steps, asked) => {
      const map = new RangeMap<string>();
      const model = new Map<string, IpRange>();
      for (const [verb, range] of steps) {
        const there = model.has(range.text);
        expect(map.get(range)).toBe(there ? range.text : undefined);
        if (verb === 'set') {
          map.set(range, range.text);
          model.set(range.text, range);
        } else {
          expect(map.delete(range)).toBe(there);
          model.delete(range.text);
        }
        expect(map.size).toBe(model.size);
      }
      expect(new Set([...map.entries()].map(([range, value]) => `${range.text} ${value}`))).toEqual(
        new Set([...model.keys()].map((key) => `${key} ${key}`)),
      );
      for (const address of asked) {
        const covering = [...model.values()].filter((range) => range.contains(address)).sort((one, other) => one.length - other.length);
        expect(map.find(address, () => true)).toBe(covering[0]?.text);
        expect(map.covers(address)).toBe(covering.length > 0);
        const seen: string[] = [];
        map.find(address, (value) => {
          seen.push(value);
          return false;
        });
        expect(seen).toEqual(covering.map(({ text }) => text));
      }
    }),
    { numRuns: 500 },
  );
});

test('is empty again when all is deleted, without anything left behind', () => {
  const map = new RangeMap<number>();
  const many = Array.from({ length: 1_000 }, (_, at) => parseIpRange(`10.${at % 7}.${at % 251}.${at % 239}/${8 + (at % 25)}`)!);
  for (const [at, range] of many.entries()) map.set(range, at);
  for (const range of many) map.delete(range);
  expect([map.size, [...map.entries()], map.covers(parseIp('10.0.0.1')!)]).toEqual([0, [], false]);
});

test('a chain of ranges that an attacker nests is found in as many steps as it is deep', () => {
  const map = new RangeMap<number>();
  const address = parseIp('2001:db8:ffff:ffff:ffff:ffff:ffff:ffff')!;
  for (let length = 0; length <= 128; length++) map.set(new IpRange(address, length), length + 1);
  let looks = 0;
  map.find(address, () => {
    looks++;
    return false;
  });
  expect(looks).toBe(129);
});
