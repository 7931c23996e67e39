import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseYaml, YamlFault } from './parse-yaml.ts';

const refusal = (text: string): YamlFault => {
  try {
    parseYaml(text);
  } catch (thrown) {
    if (thrown instanceof YamlFault) return thrown;
    throw thrown;
  }
  throw new Error('it was taken');
};

describe('reading', () => {
  test('YAML 1.2: `no`, dates and octals of 1.1 are what they look like', () => {
    const { root } = parseYaml('a: no\nb: 2026-11-20\nc: 0o17\nd: 1_000\ne: ~\nf: [1, 2.5, true]\n"g": "x"\n');
    expect(root).toEqual({ a: 'no', b: '2026-11-20', c: 15, d: '1_000', e: null, f: [1, 2.5, true], g: 'x' });
  });

  test('whatever JSON says, it says the same', () => {
    // Keys that are one name for us and two for JSON cannot be: JSON.parse would keep the last.
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 20 }), fc.jsonValue({ maxDepth: 4 })), (value) => {
        fc.pre(!JSON.stringify(value).includes('"<<"') && !JSON.stringify(value).includes('-0'));
        const text = JSON.stringify(value);
        expect(JSON.parse(JSON.stringify(parseYaml(text).root))).toEqual(JSON.parse(text));
      }),
    );
  });

  test('every key and every item has its place', () => {
    const { positions } = parseYaml('a:\n  b: 1\n  c:\n    - x\n    - { d: 2 }\n');
    expect(Object.fromEntries(positions)).toEqual({
      '["a"]': { line: 1, column: 1 },
      '["a","b"]': { line: 2, column: 3 },
      '["a","c"]': { line: 3, column: 3 },
      '["a","c",0]': { line: 4, column: 7 },
      '["a","c",1]': { line: 5, column: 7 },
      '["a","c",1,"d"]': { line: 5, column: 9 },
    });
  });

  test('a byte order mark and Windows line ends are no obstacle', () => {
    expect(parseYaml('\u{FEFF}a: 1\r\nb: 2\r\n').root).toEqual({ a: 1, b: 2 });
  });

  test('aliases are followed', () => {
    expect(parseYaml('a: &limits { x: 1 }\nb: *limits\n').root).toEqual({ a: { x: 1 }, b: { x: 1 } });
  });

  test('an alias means the latest anchor before it', () => {
    expect(parseYaml('a: &x 1\nb: *x\nc: &x 2\nd: *x\ne: [&x 3, *x]\n').root).toEqual({ a: 1, b: 1, c: 2, d: 2, e: [3, 3] });
    expect(parseYaml('a: &y [&x 1]\nb: &x 2\nc: *y\nd: *x\n').root).toEqual({ a: [1], b: 2, c: [1], d: 2 });
    expect(parseYaml('&k a: 1\nb: *k\n').root).toEqual({ a: 1, b: 'a' });
  });

  test('no name reaches the prototype', () => {
    const { root } = parseYaml('__proto__: { polluted: true }\nconstructor: 1\n');
    expect(Object.getPrototypeOf(root)).toBeNull();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.keys(root as object)).toEqual(['__proto__', 'constructor']);
  });
});

describe('refusals', () => {
  test.each([
    ['the same key twice', 'a: 1\nb: 1\na: 2', /stands here twice/, 3],
    ['1 and "1"', '1: a\n"1": b', /key 1 stands here twice/, 2],
    ['a list as a key', '? [a]\n: b', /plain name/, 1],
    ['a key that is nothing', '~: 1', /plain name/, 1],
    ['merge keys', 'a: &x { b: 1 }\nc:\n  <<: *x', /merge keys/, 3],
    ['tags', 'a: !!js/function "x"', /tags/, 1],
    ['two documents', 'a: 1\n---\nb: 2', /more than one document/, 2],
    ['tabs', 'a:\n\tb: 1', /tab/, 2],
    ['an alias without anchor', 'a: *b', /no anchor/, 1],
    ['an open bracket', 'a: [1,\nb: 2', /bracket|indentation/, 2],
  ])('%s', (_, text, problem, line) => {
    const fault = refusal(text);
    expect(fault.message).toMatch(problem);
    expect(fault.position?.line).toBe(line);
  });

  test('a few lines that stand for billions of values', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level += 1)
      lines.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    expect(refusal(lines.join('\n')).message).toMatch(/amount to too much/);
  });

  test('an alias inside of its own anchor', () => {
    expect(refusal('a: &a [*a]').message).toMatch(/too deeply|too much|no anchor/);
  });

  test.each([
    ['lists', '['.repeat(50_000)],
    ['maps', '{a: '.repeat(50_000)],
    ['closed lists', '['.repeat(200) + ']'.repeat(200)],
    ['blocks', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('%s nested too deeply', (_, text) => {
    expect(refusal(text)).toBeInstanceOf(YamlFault);
  });

  test('whatever is thrown at it, it parses or is a fault that quotes nothing', () => {
    const secret = 'sk-live-Zx81kQ7p';
    const piece = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&',
      '*',
      '!',
      '|',
      '>',
      '%',
      '@',
      '`',
      '#',
      ',',
      '?',
      '\t',
      '---',
      '<<',
      secret,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          parseYaml(pieces.join(''));
        } catch (thrown) {
          if (!(thrown instanceof YamlFault)) throw thrown;
          // The one thing a message may repeat is the name of a key that stands twice.
          if (!/stands here twice/.test(thrown.message)) expect(thrown.message).not.toContain(secret);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
