import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemRandom } from '@holdfast/kit/time';
import {
  createHeader,
  decodeHeader,
  decodeSegment,
  encodeBatch,
  encodeHeader,
  headerBytes,
  SegmentCorrupt,
  segmentKey,
} from './segment-format.ts';

const spillKey = Buffer.alloc(32, 7);
const batches = fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });

function write(contents: readonly (readonly Uint8Array[])[]) {
  const header = createHeader(3, systemRandom);
  const key = segmentKey(spillKey, header.id);
  const parts = contents.map((records, number) => encodeBatch(key, number, records));
  const ends: number[] = [];
  let at = headerBytes;
  for (const part of parts) ends.push((at += part.length));
  return { header, key, file: Buffer.concat([encodeHeader(header), ...parts]), ends };
}

const bytesOf = (records: readonly Uint8Array[]): string[] => records.map((record) => Buffer.from(record).toString('hex'));

test('what was written is read, in order', () => {
  fc.assert(
    fc.property(batches, (contents) => {
      const { header, key, file } = write(contents);
      expect(decodeHeader(file)).toEqual(header);
      expect(decodeSegment(file, key)).toEqual({ records: contents.flat().map((record) => Buffer.from(record)), goodBytes: file.length });
    }),
  );
});

test('a file that ends anywhere has its whole batches, and nothing of the torn one', () => {
  fc.assert(
    fc.property(batches, fc.nat(), (contents, seed) => {
      const { key, file, ends } = write(contents);
      const length = seed % file.length;
      const torn = file.subarray(0, length);
      if (length < headerBytes) {
        expect(decodeHeader(torn)).toBeUndefined();
        return;
      }
      const whole = ends.filter((end) => end <= length).length;
      const { records, goodBytes } = decodeSegment(torn, key);
      expect(bytesOf(records)).toEqual(bytesOf(contents.slice(0, whole).flat()));
      expect(goodBytes).toBe(whole === 0 ? headerBytes : ends[whole - 1]);
    }),
    { numRuns: 300 },
  );
});

test('pages of the last batch that never reached the disk make it torn, not corrupt', () => {
  const { key, file, ends } = write([[Buffer.from('kept')], [randomBytes(300)]]);
  const holed = Buffer.from(file).fill(0, ends[0]! + 50, ends[0]! + 200);
  expect(bytesOf(decodeSegment(holed, key).records)).toEqual(bytesOf([Buffer.from('kept')]));
  expect(bytesOf(decodeSegment(Buffer.from(file).fill(0, ends[0]!), key).records)).toEqual(bytesOf([Buffer.from('kept')]));
});

test('a byte that changed before the last batch is corruption, wherever it is', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (contents, seed, mask) => {
      const { key, file, ends } = write([...contents, [Buffer.from('last')]]);
      const before = ends.at(-2)!;
      const at = headerBytes + (seed % (before - headerBytes));
      const changed = Buffer.from(file);
      changed[at]! ^= mask;
      expect(() => decodeSegment(changed, key)).toThrow(SegmentCorrupt);
    }),
    { numRuns: 300 },
  );
});

test('a batch that somebody wrote anew with a checksum that fits is found by its seal', () => {
  const { key, file, header } = write([[Buffer.from('pay 1')]]);
  const forged = encodeBatch(segmentKey(Buffer.alloc(32, 8), header.id), 0, [Buffer.from('pay 9')]);
  expect(() => decodeSegment(Buffer.concat([file.subarray(0, headerBytes), forged]), key)).toThrow(/changed, or is of another key/);
});

test('batches that were swapped or left out are found', () => {
  const { key, file, ends } = write([[Buffer.from('a')], [Buffer.from('b')], [Buffer.from('c')]]);
  const part = (from: number, to: number) => file.subarray(from, to);
  const [first, second, third] = [part(headerBytes, ends[0]!), part(ends[0]!, ends[1]!), part(ends[1]!, ends[2]!)];
  const head = part(0, headerBytes);
  expect(() => decodeSegment(Buffer.concat([head, second, first, third]), key)).toThrow(SegmentCorrupt);
  expect(() => decodeSegment(Buffer.concat([head, first, third]), key)).toThrow(SegmentCorrupt);
});

test('a header that is not whole has promised nothing, unless batches follow it', () => {
  const { file } = write([[Buffer.from('a')]]);
  const changed = Buffer.from(file);
  changed[9]! ^= 1;
  expect(() => decodeHeader(changed)).toThrow(SegmentCorrupt);
  expect(decodeHeader(changed.subarray(0, headerBytes))).toBeUndefined();
  expect(decodeHeader(Buffer.alloc(headerBytes))).toBeUndefined();
});

test('says nothing of what is inside', () => {
  const { file } = write([[Buffer.from('a secret word')]]);
  expect(file.includes('secret')).toBe(false);
});
