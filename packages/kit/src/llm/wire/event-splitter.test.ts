import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cut } from '../../../test/support/cut.ts';
import { readEventFields, type EventFields } from './event-data.ts';
import { EventSplitter } from './event-splitter.ts';

function split(chunks: readonly Buffer[], maxEventBytes = 1_000_000): string[] {
  const splitter = new EventSplitter(maxEventBytes);
  const events: string[] = [];
  for (const chunk of chunks) splitter.push(chunk, (bytes, start, end) => events.push(bytes.toString('utf8', start, end)));
  return events;
}

const event = fc.array(
  fc.string({ unit: 'grapheme' }).filter((line) => !/[\r\n]/.test(line)),
  { minLength: 1, maxLength: 3 },
);

describe('EventSplitter', () => {
  test('gives the same events however the bytes are cut, with LF and with CRLF', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        (events, places, newline) => {
          const texts = events.map((lines) => `${lines.map((line) => `data: ${line}`).join(newline)}${newline}${newline}`);
          expect(split(cut(Buffer.from(texts.join('')), places))).toEqual(texts);
        },
      ),
    );
  });

  test('one byte at a time gives the same events', () => {
    const text = 'data: a\r\n\r\ndata: b\n\nevent: c\ndata: é\n\n';
    expect(split([...Buffer.from(text)].map((byte) => Buffer.from([byte])))).toEqual(split([Buffer.from(text)]));
  });

  test('keeps back an event that has no end', () => {
    const splitter = new EventSplitter(100);
    splitter.push(Buffer.from('data: half'), () => expect.unreachable());
    expect(splitter.pendingBytes).toBe(10);
  });

  test('refuses an event beyond the bound without gathering it', () => {
    const line = Buffer.alloc(1024, 'x');
    const splitter = new EventSplitter(10 * 1024);
    expect(() => {
      for (let index = 0; index < 1000; index++) splitter.push(line, () => {});
    }).toThrow(expect.objectContaining({ code: 'provider_too_large' }));
    expect(splitter.pendingBytes).toBeLessThan(12 * 1024);
  });
});

describe('readEventFields', () => {
  const read = (text: string): EventFields => {
    const into: EventFields = { name: 'left over', data: 'left over' };
    const bytes = Buffer.from(text);
    readEventFields(bytes, 0, bytes.length, into);
    return into;
  };

  test.each([
    ['data: {"a":1}\n\n', { name: undefined, data: '{"a":1}' }],
    ['data:{"a":1}\r\n\r\n', { name: undefined, data: '{"a":1}' }],
    ['event: ping\ndata: {}\n\n', { name: 'ping', data: '{}' }],
    [': comment\n\n', { name: undefined, data: undefined }],
    ['data: one\ndata: two\n\n', { name: undefined, data: 'one\ntwo' }],
    ['data\n\n', { name: undefined, data: '' }],
    ['datax: no\neventual: no\nid: 7\nretry: 1\n\n', { name: undefined, data: undefined }],
    ['data:  two blanks\n\n', { name: undefined, data: ' two blanks' }],
  ])('reads %j by the rules of the standard', (text, fields) => {
    expect(read(text)).toEqual(fields);
  });
});
