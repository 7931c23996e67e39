import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { readEnvironment } from './index.ts';

function folder(): string {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-env-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  return cwd;
}

afterEach(() => {
  delete process.env['CONFIG_TEST_SET'];
  delete process.env['CONFIG_TEST_NEW'];
});

test('a .env is read, and what is set already wins over it', () => {
  const cwd = folder();
  writeFileSync(path.join(cwd, '.env'), 'CONFIG_TEST_SET=file\nCONFIG_TEST_NEW="two words"\n');
  process.env['CONFIG_TEST_SET'] = 'process';
  const env = readEnvironment(cwd);
  expect(env['CONFIG_TEST_SET']).toBe('process');
  expect(env['CONFIG_TEST_NEW']).toBe('two words');
});

test('no .env is no fault', () => {
  expect(readEnvironment(folder())['PATH']).toBe(process.env['PATH']);
});

test('a .env that cannot be read is a fault of the configuration', () => {
  const cwd = folder();
  mkdirSync(path.join(cwd, '.env'));
  expect(() => readEnvironment(cwd)).toThrow(/\.env: the file cannot be read: /);
});

test('what is given back is a copy: later changes of the process do not reach it', () => {
  const env = readEnvironment(folder());
  process.env['CONFIG_TEST_NEW'] = 'later';
  expect(env['CONFIG_TEST_NEW']).toBeUndefined();
});
