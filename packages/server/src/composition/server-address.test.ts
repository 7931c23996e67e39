import { expect, test } from 'vitest';
import type { Configuration } from '../config/index.ts';
import { readServerAddress } from './server-address.ts';

const at = (host: string, port: number) => ({ server: { host, port } }) as Configuration;
const env = { HOLDFAST_API_KEY: 'hf_key' };

test.each([
  [at('127.0.0.1', 8080), {}, 'http://127.0.0.1:8080'],
  [at('0.0.0.0', 80), {}, 'http://127.0.0.1:80'],
  [at('::', 8080), {}, 'http://[::1]:8080'],
  [at('fd00::7', 8080), {}, 'http://[fd00::7]:8080'],
  [at('gateway.local', 8080), {}, 'http://gateway.local:8080'],
  [at('127.0.0.1', 0), { HOLDFAST_BASE_URL: 'https://ai.example.com' }, 'https://ai.example.com'],
  [at('127.0.0.1', 1), { HOLDFAST_BASE_URL: 'https://example.com/ai/v1/' }, 'https://example.com/ai'],
])('a server is found where it listens, or where clients are told that it does', (configuration, more, origin) => {
  expect(readServerAddress(() => configuration, { ...env, ...more })).toEqual({ origin, key: 'hf_key' });
});

test('without a key or an address nothing is asked', () => {
  expect(() => readServerAddress(() => at('127.0.0.1', 8080), {})).toThrow(expect.objectContaining({ code: 'key_missing' }));
  expect(() => readServerAddress(() => at('127.0.0.1', 0), env)).toThrow(expect.objectContaining({ code: 'server_unreachable' }));
  const secret = { ...env, HOLDFAST_BASE_URL: 'hf_pasted_secret' };
  expect(() => readServerAddress(() => at('127.0.0.1', 1), secret)).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('pasted') }),
  );
});
