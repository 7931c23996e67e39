import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editBody } from './edit-body.ts';
import { readShallowBody } from './read-shallow-body.ts';

const read = (text: string) => readShallowBody(Buffer.from(text));

describe('readShallowBody', () => {
  test('finds the bytes of every top-level value of any JSON object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 4 })),
        fc.constantFrom(undefined, 1, '\t'),
        (object, indent) => {
          const text = JSON.stringify(object, undefined, indent);
          const body = read(text);
          expect([...body.members.keys()].sort()).toEqual(Object.keys(JSON.parse(text)).sort());
          for (const [name, [start, end]] of body.members) {
            expect(JSON.parse(body.bytes.toString('utf8', start, end))).toEqual(JSON.parse(text)[name]);
          }
        },
      ),
    );
  });

  test.each(['{"a":', '{"a" "b"}', '', '{"a":1,}', '{]', '"', '{"a":"\\"}', 'nul', '\u0000', '{"a":1}{}', '{"a":1,"a":2'])(
    'refuses %j as invalid_json',
    (text) => {
      expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid_json' }));
    },
  );

  test.each(['[]', '1', 'null', '"x"'])('refuses %s, which is JSON but no object', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  test('refuses a member given twice, also when one of them is escaped', () => {
    expect(() => read('{"model":"a","model":"b"}')).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(() => read('{"model":"a","\\u006dodel":"b"}')).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  test('bounds the depth before anything is built', () => {
    expect(() => read('{"a":'.repeat(65) + '1' + '}'.repeat(65))).toThrow(expect.objectContaining({ code: 'body_too_deep' }));
    expect(() => read('{"a":'.repeat(64) + '1' + '}'.repeat(64))).not.toThrow();
    expect(() => read('['.repeat(1_000_000))).toThrow(expect.objectContaining({ code: 'body_too_deep' }));
  });

  test.each(['{},', '[],', '{"a":1},', '{"a":[{"b":{}}]},'])(
    'bounds the number of parts before anything is built: a list of %s',
    (part) => {
      const list = (count: number) => `{"x":[${part.repeat(count).slice(0, -1)}]}`;
      expect(() => read(list(200_000))).toThrow(expect.objectContaining({ code: 'body_too_large' }));
      expect(() => read(list(10_000))).not.toThrow();
    },
  );

  test('a list of a million numbers, or a text full of brackets, is no crowd of parts', () => {
    expect(read(`{"input":[${'1,'.repeat(1_000_000)}1],"text":"${'{[:'.repeat(100_000)}"}`).members.size).toBe(2);
  });
});

describe('editBody', () => {
  test('changes the named values and leaves every other byte alone', () => {
    const text = '{ "x" : 1e400 , "model":"a" ,"messages":[{"content":"\\u00e9 model"}] , "big": 12345678901234567890 }';
    const edited = editBody(read(text), { model: '"b"' }).toString();
    expect(edited).toBe(text.replace('"model":"a"', '"model":"b"'));
  });

  test('any edit of any object parses to the object with that edit', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{0,3}$/), fc.jsonValue()),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.jsonValue()),
        (object, edits) => {
          const texts = Object.fromEntries(Object.entries(edits).map(([key, value]) => [key, JSON.stringify(value)]));
          const edited = editBody(read(JSON.stringify(object)), texts);
          expect(JSON.parse(edited.toString())).toEqual(JSON.parse(JSON.stringify({ ...object, ...edits })));
        },
      ),
    );
  });
});
