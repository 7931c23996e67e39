import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeSocketFolder, socketPath } from './socket-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-s-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function homeOf(pathBytes: number): string {
  const home = join(folder, 'h'.repeat(pathBytes - folder.length - 1));
  mkdirSync(home, { mode: 0o700 });
  return home;
}
const suffixBytes = '/run/.s.PGSQL.5432'.length;

test('the socket is beside the cluster up to 99 bytes, and in the runtime folder beyond', () => {
  const fits = homeOf(99 - suffixBytes);
  const query = { runtimeDir: join(folder, 'r'), systemDir: '/nonexistent' };
  expect(makeSocketFolder({ ...query, cluster: { home: fits, user: undefined } })).toBe(join(fits, 'run'));
  const long = homeOf(100 - suffixBytes);
  const short = makeSocketFolder({ ...query, cluster: { home: long, user: undefined } });
  expect(short.startsWith(join(folder, 'r/holdfast/'))).toBe(true);
  expect(Buffer.byteLength(socketPath(short))).toBeLessThan(100);
  expect(lstatSync(short).mode & 0o777).toBe(0o700);
  expect(makeSocketFolder({ ...query, cluster: { home: long, user: undefined } })).toBe(short);
});

test('a folder that others may write in, or a link in its place, is not used', () => {
  const home = homeOf(40);
  chmodSync(home, 0o777);
  const runtimeDir = join(folder, 'r');
  const query = { cluster: { home, user: undefined }, runtimeDir, systemDir: '/nonexistent' };
  const instead = makeSocketFolder(query);
  expect(instead.startsWith(runtimeDir)).toBe(true);

  chmodSync(home, 0o700);
  symlinkSync(folder, join(home, 'run'));
  expect(makeSocketFolder(query)).toBe(instead);
});
