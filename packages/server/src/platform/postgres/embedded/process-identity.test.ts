import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { birthOf, isAlive, isPostmasterOf } from './process-identity.ts';

test('a process that ended is not alive, and one that lives is not PostgreSQL for having a pid', async () => {
  expect(isAlive(process.pid)).toBe(true);
  expect(isPostmasterOf(process.pid, '/data')).toBe(false);
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  expect(isAlive(child.pid!)).toBe(true);
  expect(birthOf(child.pid!)).toBe(birthOf(child.pid!));
  if (process.platform === 'linux') expect(birthOf(child.pid!)).not.toBe(birthOf(process.pid));
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect(isAlive(child.pid!)).toBe(false);
  expect(isPostmasterOf(child.pid!, '/data')).toBe(false);
});

test.skipIf(process.platform !== 'linux')('the name of the program alone does not make a process the server of a folder', async () => {
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore', argv0: '/somewhere/postgres' });
  await once(child, 'spawn');
  expect(isPostmasterOf(child.pid!, '600')).toBe(false);
  child.kill('SIGKILL');
});
