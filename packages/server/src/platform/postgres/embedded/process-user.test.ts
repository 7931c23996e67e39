import { expect, test } from 'vitest';
import { isHoldfastError } from '@holdfast/kit/errors';
import { findServiceUser, requireServiceUser, userOfUid } from './process-user.ts';

const root = 'root:x:0:0:root:/root:/bin/bash';
const nobody = 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin';
const postgres = 'postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash';

test('an existing user postgres comes before nobody', () => {
  expect(findServiceUser([root, nobody, postgres].join('\n'))).toEqual({ name: 'postgres', uid: 101, gid: 104 });
  expect(findServiceUser([root, nobody].join('\n'))).toEqual({ name: 'nobody', uid: 65_534, gid: 65_534 });
});

test('a second name of root is not taken, and without any user the start ends with one line', () => {
  const text = [root, 'postgres:x:0:0::/:/bin/sh', 'nobody:*:-2:-2::/var/empty:/usr/bin/false', 'broken line', ''].join('\n');
  expect(findServiceUser(text)).toBeUndefined();
  expect(() => requireServiceUser(text)).toThrow(/neither a user `postgres` nor `nobody`/);
  try {
    requireServiceUser(text);
  } catch (thrown) {
    expect(isHoldfastError(thrown) && thrown.code).toBe('postgres_start_failed');
  }
});

test('the owner of a cluster needs no name', () => {
  expect(userOfUid(postgres, 101, 104).name).toBe('postgres');
  expect(userOfUid(postgres, 12_345, 7)).toEqual({ name: 'uid 12345', uid: 12_345, gid: 7 });
});
