import { expect, test } from 'vitest';
import { lineCounts, type FileReport, type ScriptReport } from '../scripts/test/coverage.ts';

const source = ['const a = 1;', 'function f(x: number) {', '  if (x > 1) return 2;', '  return 3;', '}', ''].join('\n');
const file: FileReport = {
  statementMap: {
    0: { start: { line: 1, column: 0 } },
    1: { start: { line: 3, column: 2 } },
    2: { start: { line: 3, column: 13 } },
    3: { start: { line: 4, column: 2 } },
  },
  s: { 0: 1, 1: 0, 2: 0, 3: 0 },
};
const at = (text: string) => source.indexOf(text);
/** `f(1)` once: its early return is never taken. */
const script: ScriptReport = {
  url: 'file:///f.ts',
  functions: [
    { ranges: [{ startOffset: 0, endOffset: source.length, count: 1 }] },
    {
      ranges: [
        { startOffset: at('function'), endOffset: source.length - 1, count: 1 },
        { startOffset: at('return 2'), endOffset: at('return 2') + 9, count: 0 },
      ],
    },
  ],
};

test('what only vitest ran is counted', () => {
  expect([...lineCounts(file, source, [])]).toEqual([
    [1, 1],
    [3, 0],
    [4, 0],
  ]);
});

test('what only a started process ran is counted too', () => {
  expect([...lineCounts(file, source, [script])]).toEqual([
    [1, 2],
    [3, 1],
    [4, 1],
  ]);
});

test('a function that was never called is not counted because its file was loaded', () => {
  const loaded: ScriptReport = {
    ...script,
    functions: [script.functions[0]!, { ranges: [{ startOffset: at('function'), endOffset: source.length - 1, count: 0 }] }],
  };
  expect(lineCounts(file, source, [loaded]).get(4)).toBe(0);
});
