import { appendFileSync, closeSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { boundServerLog, openServerLog, readLogTail, serverLogPath, serverLogSize } from './server-log.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-log-'));
  path = serverLogPath(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a log is cut under its writer, who goes on writing at its beginning', () => {
  const file = openServerLog(path, undefined);
  writeSync(file, 'old line\n'.repeat(10));
  boundServerLog(path, 100);
  expect(serverLogSize(path)).toBe(90);
  boundServerLog(path, 50);
  writeSync(file, 'new line\n');
  closeSync(file);
  expect(readFileSync(path, 'utf8')).toBe('new line\n');
  expect(serverLogSize(`${path}.1`)).toBe(90);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('neither the log nor its old piece is written through a link', () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'untouched');
  symlinkSync(victim, path);
  expect(() => openServerLog(path, undefined)).toThrow();
  rmSync(path);
  writeFileSync(path, 'x'.repeat(100));
  symlinkSync(victim, `${path}.1`);
  boundServerLog(path, 10);
  expect(readFileSync(victim, 'utf8')).toBe('untouched');
});

test('the tail is of this start only, and short', () => {
  expect(readLogTail(path)).toEqual([]);
  expect(serverLogSize(path)).toBe(0);
  expect(() => boundServerLog(path, 1)).not.toThrow();
  writeFileSync(path, 'before\n');
  const start = serverLogSize(path);
  for (let line = 0; line < 3_000; line += 1) appendFileSync(path, `line ${line}\n\n`);
  expect(readLogTail(path, start, 2)).toEqual(['line 2998', 'line 2999']);
  expect(readLogTail(path, start)).toHaveLength(20);
  writeFileSync(path, 'cut and begun anew\n');
  expect(readLogTail(path, start + 1_000)).toEqual(['cut and begun anew']);
});
