import { HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { createClientIpResolver } from '@holdfast/kit/security';
import { expect, test } from 'vitest';
import { createRefusalWatch, type RefusedRequest } from './refusal-watch.ts';

const client = createClientIpResolver().resolve({ peer: '203.0.113.7', header: undefined });

async function told(refused: Partial<RefusedRequest> & { readonly code: ErrorCode }, trustsProxies = true): Promise<unknown[]> {
  const words: unknown[] = [];
  const observe = createRefusalWatch({
    watch: {
      notFound: ({ path, credential }) => words.push(`${path} ${credential}`),
      keyRefused: ({ credential }) => words.push(`guess ${credential}`),
    },
    trustsProxies,
    authenticate: (secret) => {
      if (secret === 'in memory') return {};
      if (secret === 'stored') return Promise.resolve({});
      if (secret === 'away') return Promise.reject(new HoldfastError('database_unavailable'));
      throw new HoldfastError(secret === 'old' ? 'key_revoked' : 'key_malformed');
    },
  });
  observe({
    client,
    path: '/x',
    unknownRoute: refused.code === 'route_not_found',
    keyFault: refused.code.startsWith('key_') ? refused.code : undefined,
    secret: undefined,
    authenticated: false,
    userAgent: undefined,
    forwarded: false,
    ...refused,
  });
  await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  return words;
}

test.each([
  [undefined, ['/x absent']],
  ['in memory', ['/x accepted']],
  ['stored', ['/x accepted']],
  ['old', ['/x refused']],
  ['nonsense', ['guess nonsense', '/x refused']],
  ['away', ['/x unchecked']],
])('of a path that nobody answers the key is looked at, which no route did: %s', async (secret, words) => {
  expect(await told({ code: 'route_not_found', secret })).toEqual(words);
});

test('a key that nobody has is a guess, and one that was somebody’s is none', async () => {
  expect(await told({ code: 'key_unknown', secret: 'a' })).toEqual(['guess a']);
  expect(await told({ code: 'key_malformed', secret: 'a' })).toEqual(['guess a']);
  for (const code of ['key_expired', 'key_revoked', 'scope_missing', 'model_not_allowed'] as const) {
    expect(await told({ code, secret: 'a' }), code).toEqual([]);
  }
});

test('what a limit on requests refused before is told all the same', async () => {
  expect(await told({ code: 'rate_limited', unknownRoute: true })).toEqual(['/x absent']);
  expect(await told({ code: 'rate_limited', keyFault: 'key_unknown', secret: 'a' })).toEqual(['guess a']);
  expect(await told({ code: 'rate_limited', keyFault: 'key_revoked', secret: 'a' })).toEqual([]);
  expect(await told({ code: 'rate_limited', secret: 'a', authenticated: true })).toEqual([]);
});

test('other errors are no sign of abuse: neither what does not exist behind a key, nor a ban that is in force', async () => {
  const codes: ErrorCode[] = [
    'resource_not_found',
    'model_not_found',
    'method_not_allowed',
    'address_banned',
    'rate_limited',
    'internal_error',
  ];
  for (const code of codes) expect(await told({ code, secret: 'a', authenticated: true }), code).toEqual([]);
});

test('what looks like a proxy that was forgotten is not held against it, or all behind it would pay', async () => {
  const at = (peer: string) => createClientIpResolver().resolve({ peer, header: undefined });
  const scan = { code: 'route_not_found', unknownRoute: true, forwarded: true } as const;
  expect(await told({ ...scan, client: at('10.0.0.7') }, false)).toEqual([]);
  expect(await told({ ...scan, client: at('fd00::7') }, false)).toEqual([]);
  // Whoever is not in a private network would write the header to get out of it.
  expect(await told({ ...scan, client: at('203.0.113.7') }, false)).toEqual(['/x absent']);
  expect(await told({ ...scan, client: at('10.0.0.7'), forwarded: false }, false)).toEqual(['/x absent']);
  expect(await told({ ...scan, client: at('10.0.0.7') }, true)).toEqual(['/x absent']);
});
