import { expect, test } from 'vitest';
import { isRivalFault, spawnFault, startFault } from './start-fault.ts';

test.each([
  ['disk_full', '2026-11-20 09:40:26.753 UTC [8733] FATAL:  could not write lock file "postmaster.pid": No space left on device'],
  ['disk_full', 'initdb: error: could not create directory "/d/x/base": Disk quota exceeded'],
  ['data_folder_unusable', 'initdb: error: could not create directory "/d/x": Read-only file system'],
  ['data_folder_unusable', 'FATAL:  data directory "/d/x" has invalid permissions'],
  ['data_folder_unusable', 'FATAL:  could not open file "/d/x/global/pg_control": Permission denied'],
  ['postgres_start_failed', 'FATAL:  configuration file "/d/postgresql.conf" contains errors'],
])('%s is told from %j', (code, line) => {
  expect(startFault('PostgreSQL ended', ['LOG:  starting', line]).code).toBe(code);
});

test('the one line names the reason, the details keep the last lines', () => {
  const lines = ['LOG:  starting', '2026-11-20 UTC [1] FATAL:  lock file "postmaster.pid" already exists', 'LOG:  shut down'];
  const fault = startFault('PostgreSQL ended with code 1', lines);
  expect(fault.message).toBe('PostgreSQL ended with code 1: FATAL:  lock file "postmaster.pid" already exists');
  expect(fault.details).toEqual({ log: lines });
  expect(startFault('PostgreSQL ended', []).message).toBe('PostgreSQL ended');
  expect(
    startFault('it ended', ["./initdb: /lib/libc.so.6: version `GLIBC_2.28' not found (required by ./initdb)", 'more']).message,
  ).toContain('GLIBC_2.28');
});

test('a container without the right to change the user is told what to do', () => {
  const denied = Object.assign(new Error('spawn EPERM'), { code: 'EPERM' });
  expect(spawnFault('initdb', denied, 'nobody').message).toContain('CAP_SETUID');
  expect(spawnFault('initdb', Object.assign(new Error('spawn x EACCES'), { code: 'EACCES' }), undefined).message).toContain('EACCES');
});

test('a rival that came first is told from every other fault', () => {
  const fault = (line: string) => startFault('PostgreSQL ended with code 1', ['LOG:  starting', line]);
  expect(isRivalFault(fault('2026-11-20 UTC [1] FATAL:  lock file "postmaster.pid" already exists'))).toBe(true);
  expect(isRivalFault(fault('2026-11-20 UTC [1] FATAL:  lock file "postmaster.pid" is empty'))).toBe(true);
  expect(isRivalFault(fault('FATAL:  could not open file "/d/global/pg_control": Permission denied'))).toBe(false);
  expect(isRivalFault(new Error('lock file "postmaster.pid" already exists'))).toBe(false);
});
