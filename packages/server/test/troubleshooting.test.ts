import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCategories, errorTable } from '@holdfast/kit/errors';
import { expect, test } from 'vitest';
import { settingEntries } from '../src/config/index.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const guide = read('docs/guides/troubleshooting.md');
const wordsOf = (pattern: RegExp): string[] => [...new Set([...guide.matchAll(pattern)].map(([, word]) => word!))];

test('every metric that the guide names exists', () => {
  const metrics = read('docs/reference/metrics.md');
  const named = wordsOf(/\b(holdfast_[a-z_]+[a-z])\b/g);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !metrics.includes(name))).toEqual([]);
});

test('every variable that the guide names is a setting', () => {
  const settings = new Set(settingEntries.map(({ setting }) => setting.environment));
  const ofTheClient = ['HOLDFAST_BASE_URL', 'HOLDFAST_API_KEY'];
  const named = wordsOf(/\b((?:HOLDFAST|LOG|POSTGRES|RATE_LIMIT|DATABASE)_[A-Z_]+)\b/g);
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((name) => !settings.has(name) && !ofTheClient.includes(name))).toEqual([]);
});

test('every line of the log that the guide quotes is written somewhere', () => {
  const source = sourcesBelow('packages/server/src') + sourcesBelow('packages/kit/src/telemetry');
  const quoted = [
    'a forwarding header is ignored',
    'an attempt failed and another one follows',
    'a circuit breaker opened',
    'a dependency is well again',
    'a database connection was lost',
    'all database connections of a pool are busy',
    'a slow statement',
    'the embedded database ended although nobody stopped it',
    'too much to do: a part of the requests is refused',
    'calls of an instance that died are in the ledger as interrupted',
  ];
  // Each sentence of the guide in code letters that is no name of anything.
  const sentences = wordsOf(/`((?:a|an|the|all|calls|too) [a-z][^`]+)`/g);
  expect(sentences.toSorted()).toEqual(expect.arrayContaining(quoted.toSorted()));
  for (const sentence of sentences) if (sentence !== 'the log file cannot be written') expect(source, sentence).toContain(sentence);
});

test('every code and category that the guide names is in the error table', () => {
  const words = wordsOf(/`([a-z]+_[a-z_]+)`/g).filter((word) => word !== 'ledger_queue');
  const codes = words.filter((word) => /^(?:provider|model|server|ledger|disk|address|rate|first|concurrency)_/.test(word));
  expect(codes.length).toBeGreaterThan(8);
  expect(codes.filter((word) => !(word in errorTable) && !(word in errorCategories))).toEqual([]);
  for (const [, category] of guide.matchAll(/^\| `(ai_service|unavailable|database|rate_limit|authentication|internal)`/gm))
    expect(errorCategories).toHaveProperty([category!]);
});

function sourcesBelow(folder: string): string {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => read(path.join(folder, file)))
    .join('\n');
}
