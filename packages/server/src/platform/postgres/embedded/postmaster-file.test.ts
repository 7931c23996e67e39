import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { disownPostmasterFile, readPostmasterFile, wasStartedWith } from './postmaster-file.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'hf-pid-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const lines = ['8733', '/data', '1795167626', '5432', '/data/run', '', '  9978849         4', 'ready   ', ''];

test('the file of a running server is understood', () => {
  writeFileSync(join(data, 'postmaster.pid'), lines.join('\n'));
  expect(readPostmasterFile(data)).toEqual({ pid: 8_733, port: 5_432, socketDir: '/data/run', status: 'ready' });
});

test.each(['', '\n', 'nonsense\n', '-1\n'])('a file that is not written yet (%j) is none', (text) => {
  expect(readPostmasterFile(data)).toBeUndefined();
  writeFileSync(join(data, 'postmaster.pid'), text);
  expect(readPostmasterFile(data)).toBeUndefined();
});

test('disowning changes the pid alone, so that PostgreSQL still finds what outlived its server', () => {
  writeFileSync(join(data, 'postmaster.pid'), lines.join('\n'));
  disownPostmasterFile(data);
  expect(readFileSync(join(data, 'postmaster.pid'), 'utf8')).toBe([String(process.pid), ...lines.slice(1)].join('\n'));
});

test('another program or another setting is another server', () => {
  expect(wasStartedWith(data, '/bin/postgres', [])).toBe(false);
  writeFileSync(join(data, 'postmaster.opts'), '/bin/postgres "-D" "/data" "-c" "fsync=on"\n');
  expect(wasStartedWith(data, '/bin/postgres', ['-D', '/data', '-c', 'fsync=on'])).toBe(true);
  expect(wasStartedWith(data, '/bin/postgres', ['-D', '/data', '-c', 'fsync=off'])).toBe(false);
  expect(wasStartedWith(data, '/new/postgres', ['-D', '/data', '-c', 'fsync=on'])).toBe(false);
});
