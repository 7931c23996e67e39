import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { anthropicToOpenaiFields, dialectDefaults, openaiToAnthropicFields } from '../../../src/llm/dialects/index.ts';
import { guideTable, markedPart } from './guide-table.ts';

const page = readFileSync(new URL('../../../../../docs/guides/dialects.md', import.meta.url), 'utf8');

test.each([
  ['openai-to-anthropic', openaiToAnthropicFields],
  ['anthropic-to-openai', anthropicToOpenaiFields],
] as const)('the guide shows the table %s as the code has it', (name, table) => {
  expect(markedPart(page, `${name} members`)).toBe(guideTable(table.members));
  expect(markedPart(page, `${name} nested`)).toBe(guideTable(table.nested));
  expect(markedPart(page, `${name} answer`)).toBe(guideTable(table.answer));
});

test('the guide names the default limit', () => {
  expect(page).toContain(dialectDefaults.defaultMaxTokens.toLocaleString('en'));
});
