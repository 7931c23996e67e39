import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findObstacle, mayRead, mayReadAndExecute, mayTraverse, permits } from './reachability.ts';

const user = { name: 'somebody', uid: 4_000, gid: 5_000 };
let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hf-reach-')));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('owner, group and others each have their own bits, and the first class that fits decides', () => {
  expect(permits({ uid: 4_000, gid: 5_000, mode: 0o077 }, user, mayRead)).toBe(false);
  expect(permits({ uid: 1, gid: 5_000, mode: 0o707 }, user, mayRead)).toBe(false);
  expect(permits({ uid: 1, gid: 1, mode: 0o770 }, user, mayRead)).toBe(false);
  expect(permits({ uid: 1, gid: 1, mode: 0o005 }, user, mayReadAndExecute)).toBe(true);
  expect(permits({ uid: 1, gid: 5_000, mode: 0o050 }, user, mayReadAndExecute)).toBe(true);
  expect(permits({ uid: 4_000, gid: 1, mode: 0o400 }, user, mayReadAndExecute)).toBe(false);
});

test('the first folder on the way that is closed is named, also behind a link', () => {
  const closed = join(folder, 'closed');
  mkdirSync(join(closed, 'below'), { recursive: true });
  writeFileSync(join(closed, 'below/file'), '');
  expect(findObstacle(join(closed, 'below/file'), user, mayRead)).toBeUndefined();
  chmodSync(closed, 0o700);
  expect(findObstacle(join(closed, 'below/file'), user, mayRead)).toBe(closed);
  symlinkSync(join(closed, 'below'), join(folder, 'link'));
  expect(findObstacle(join(folder, 'link'), user, mayTraverse)).toBe(closed);
  expect(findObstacle(join(folder, 'missing'), user, mayTraverse)).toBe(join(folder, 'missing'));
});

test('a file that may not be read is itself the obstacle', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  chmodSync(file, 0o600);
  expect(findObstacle(file, user, mayRead)).toBe(file);
});
