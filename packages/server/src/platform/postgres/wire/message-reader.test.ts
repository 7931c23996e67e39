import { expect, test } from 'vitest';
import { MessageReader } from './message-reader.ts';

function message(type: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(type, 0);
  bytes.writeInt32BE(4 + body.length, 1);
  bytes.write(body, 5);
  return bytes;
}

const stream = Buffer.concat([message('2', ''), message('C', 'INSERT 0 16\0'), message('N', 'x'.repeat(300)), message('Z', 'I')]);
const whole = ['2:', 'C:INSERT 0 16\0', `N:${'x'.repeat(300)}`, 'Z:I'];

function readAll(chunks: readonly Buffer[]): string[] {
  const found: string[] = [];
  const reader = new MessageReader((type, bytes, start, end) =>
    found.push(`${String.fromCharCode(type)}:${bytes.toString('latin1', start, end)}`),
  );
  for (const chunk of chunks) reader.push(chunk);
  return found;
}

test('messages come out the same wherever the network cut them', () => {
  expect(readAll([stream])).toEqual(whole);
  for (let at = 1; at < stream.length; at++) expect(readAll([stream.subarray(0, at), stream.subarray(at)])).toEqual(whole);
  expect(readAll(Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(whole);
});

test.each([-1, 0, 3, 0x7fffffff])('a length of %i is no message, and nothing is kept for it', (length) => {
  const head = Buffer.alloc(5, 'Z');
  head.writeInt32BE(length, 1);
  expect(() => readAll([head])).toThrow('a message of');
});
