import { expect, test } from 'vitest';
import { isRedisUrl } from './redis-url.ts';

test.each([
  'redis://localhost',
  'redis://10.0.0.7:6380/15',
  'redis://:secret@cache.example.com:6379/',
  'rediss://user:p%40ss@[::1]:6379/0',
  'REDIS://localhost',
])('%s is one', (url) => expect(isRedisUrl(url)).toBe(true));

test.each([
  ['', 'nothing'],
  ['localhost:6379', 'no scheme'],
  ['http://localhost', 'another scheme'],
  ['tcp://10.0.0.1:6379', 'what Kubernetes injects'],
  ['redis://', 'no host'],
  ['redis://:secret@', 'no host'],
  ['redis://localhost:99999', 'no port'],
  ['redis://localhost/first', 'no number of a database'],
  ['redis://localhost?ssl=true', 'a parameter that nobody would heed'],
  ['redis://localhost#x', 'a fragment'],
  ['redis://:100%@localhost', 'a password that cannot be decoded'],
])('%s is none: %s', (url) => expect(isRedisUrl(url)).toBe(false));
