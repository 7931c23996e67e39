import { expect, test } from 'vitest';
import { createMasker, maskingDefaults, sensitiveTypes } from './index.ts';

const masker = createMasker();

test('members with the names of secrets are masked whole, at any depth and in any spelling', () => {
  const names = [
    'authorization',
    'Proxy-Authorization',
    'password',
    'user_password',
    'apiKey',
    'api_key',
    'X-API-Key',
    'cookie',
    'Set-Cookie',
    'clientSecret',
    'AWS_SECRET_ACCESS_KEY',
    'pass',
  ];
  for (const name of names) expect(masker.maskObject({ a: [{ [name]: { any: 'thing' } }] }), name).toEqual({ a: [{ [name]: '[secret]' }] });
  expect(masker.maskObject({ tokens: 3, key_id: 'x', next_page_token: 'y', password: null, token: false })).toEqual({
    tokens: 3,
    key_id: 'x',
    next_page_token: 'y',
    password: null,
    token: false,
  });
});

test('strings, keys, numbers, maps, sets and errors are masked, and nothing given is changed', () => {
  const given = Object.freeze({
    'bob@example.com': 1,
    'eve@example.com': 2,
    pan: 4111111111111111,
    phone: '0612345678',
    set: new Set(['a@b.cc']),
    map: new Map([['password', 'x']]),
    when: new Date(0),
    data: Buffer.from('x'),
  });
  expect(masker.maskObject(given)).toEqual({
    '[email]': 1,
    '[email]#2': 2,
    pan: '[card]',
    phone: '[phone]',
    set: ['[email]'],
    map: new Map([['password', '[secret]']]),
    when: new Date(0),
    data: '[binary 1 bytes]',
  });
  const error = new Error('to bob@example.com', { cause: new Error('token=hunter2') });
  const masked = JSON.stringify(masker.maskObject(error));
  expect(masked).toContain('to [email]');
  expect(masked).not.toMatch(/bob@|hunter2/);
});

test('cycles, depth, number and length are bounded', () => {
  const cycle: Record<string, unknown> = { name: 'x' };
  cycle['self'] = cycle;
  expect(masker.maskObject(cycle)).toEqual({ name: 'x', self: '[circular]' });
  const twice = { a: 1 };
  expect(masker.maskObject([twice, twice])).toEqual([{ a: 1 }, { a: 1 }]);
  let deep: unknown = 'password=hunter2';
  for (let level = 0; level < 100_000; level++) deep = [deep];
  expect(JSON.stringify(masker.maskObject(deep))).toBe('[[[[[[[["[truncated]"]]]]]]]]');
  expect(masker.maskObject(new Array(100).fill(1), { maxValues: 5 })).toEqual([1, 1, 1, 1, '[truncated]']);
  const long = `${'x'.repeat(2_000)} sk-proj-abcdefghijklmnop0123 ${'y'.repeat(2_000)}`;
  expect(masker.maskObject(long, { maxStringChars: 2_010 })).not.toContain('sk-proj-');
});

test('nothing that is given makes it throw', () => {
  const hostile = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no');
      },
    },
  );
  const getter = Object.defineProperty({ fine: 1 }, 'bad', {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  expect(
    masker.maskObject([
      hostile,
      getter,
      revoked.proxy,
      Symbol('s'),
      () => 1,
      10n,
      undefined,
      Number.NaN,
      Object.create(null),
      new Date(Number.NaN),
    ]),
  ).toMatchObject([
    '[unreadable]',
    { fine: 1, bad: '[unreadable]' },
    '[unreadable]',
    '[symbol]',
    '[function]',
    '10',
    undefined,
    Number.NaN,
    {},
    expect.any(Date),
  ]);
  const proto = masker.maskObject(JSON.parse('{"__proto__":{"polluted":"a@b.cc"}}')) as object;
  expect(Object.getPrototypeOf(proto)).toBe(Object.prototype);
  expect(JSON.stringify(proto)).toBe('{"__proto__":{"polluted":"[email]"}}');
});

test('types, confidence and what stands in place can be chosen', () => {
  expect(createMasker({ types: ['email'] }).mask('a@b.cc 10.0.0.1')).toBe('[email] 10.0.0.1');
  expect(createMasker({ types: ['phone'] }).mask('call 203.0.113.70')).toBe('call 203.0.113.70');
  expect(createMasker({ minConfidence: 0.9 }).mask('415 555 0132, +1 415 555 0132')).toBe('415 555 0132, [phone]');
  expect(createMasker({ replace: ({ type }, value) => `<${type} of ${value.length}>` }).mask('a@b.cc')).toBe('<email of 6>');
  const failing = createMasker({
    replace: () => {
      throw new Error('no');
    },
  });
  expect(failing.mask('a@b.cc')).toBe('[email]');
  expect(maskingDefaults.types).toEqual(sensitiveTypes);
});

test.each([{ types: ['mail'] }, { types: 'email' }, { minConfidence: 2 }, { replace: 'x' }, { typos: [] }])('%j is refused', (options) => {
  expect(() => createMasker(options as never)).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
});

test('a private key is masked over its lines, and the log goes on after it', () => {
  const lines = masker.lines();
  const text = ['start', '-----BEGIN PRIVATE KEY-----', 'MIIabcdef', '', 'ghijk+/=', '-----END PRIVATE KEY-----', 'next line'].join('\n');
  expect(lines.push(text) + lines.end()).toBe(
    ['start', '[private_key]', '[private_key]', '', '[private_key]', '[private_key]', 'next line'].join('\n'),
  );
  expect(lines.push('-----BEGIN PRIVATE KEY-----\nMIIabcdef-----END PRIVATE KEY----- to a@b.cc\n')).toBe(
    '[private_key]\n[private_key] to [email]\n',
  );
  expect(lines.push('-----BEGIN PRIVATE KEY-----\nMIIabcdef\n{"level":"info"}\nMIIabcdef\n')).toBe(
    '[private_key]\n[private_key]\n{"level":"info"}\nMIIabcdef\n',
  );
});

test('a line that never ends takes no more memory than its bound, and shows nothing of what was cut', () => {
  const lines = masker.lines({ maxLineChars: 2_048 });
  for (let piece = 0; piece < 1_000; piece++) expect(lines.push('hf_abcdefghijklmnop1234 '.repeat(100))).toBe('');
  const masked = lines.end();
  expect(masked).toMatch(/^(?:\[api_key\] )+[^h]*\[truncated\]$/);
  expect(masked.length).toBeLessThan(2_048);
  expect(() => masker.lines({ maxLineChars: 1 })).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
});
