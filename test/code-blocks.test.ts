import { expect, test } from 'vitest';
import { faultOfMark, readCodeBlocks } from './support/code-blocks.ts';

const fence = '```';

test('blocks are read with their line, language and mark', () => {
  const blocks = readCodeBlocks(
    'a.md',
    `# A\n\n${fence}ts run\nconst a = 1;\n${fence}\n\n  ${fence}bash show: needs an account\n  curl x\n  ${fence}\n`,
  );
  expect(blocks).toEqual([
    { document: 'a.md', line: 3, language: 'ts', code: 'const a = 1;\n', mark: { kind: 'run' } },
    { document: 'a.md', line: 7, language: 'bash', code: 'curl x\n', mark: { kind: 'show', reason: 'needs an account' } },
  ]);
});

test('a longer fence holds a shorter one', () => {
  const [block] = readCodeBlocks('a.md', '````md\n```ts\nx\n```\n````\n');
  expect(block!.code).toBe('```ts\nx\n```\n');
});

test.each([
  ['ts', 'a runnable block without a mark'],
  ['bash show', 'a block that is not run without a reason'],
  ['bash maybe', 'an unknown mark'],
  ['python run', 'a mark that promises what is not done'],
])('%s is refused: %s', (info) => {
  const [block] = readCodeBlocks('a.md', `${fence}${info}\nx\n${fence}\n`);
  expect(faultOfMark(block!)).toMatch(/^a\.md:1: /);
});

test.each(['json', '', 'text', 'yaml', 'ts run', 'bash show: it stays in the foreground'])('%j is fine', (info) => {
  const [block] = readCodeBlocks('a.md', `${fence}${info}\nx\n${fence}\n`);
  expect(faultOfMark(block!)).toBeUndefined();
});

test('a block that is never closed is refused', () => {
  expect(() => readCodeBlocks('a.md', `${fence}ts run\nx\n`)).toThrow('a.md:1');
});
