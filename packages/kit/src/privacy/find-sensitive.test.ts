import { describe, expect, test } from 'vitest';
import { findSensitive, mask, type SensitiveType } from './index.ts';

const key = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN0123';

describe('is found', () => {
  test.each<[SensitiveType, string, string]>([
    ['email', 'to bob.smith+x@example.co.uk, now', 'bob.smith+x@example.co.uk'],
    ['email', 'an jürgen@müller-bau.de.', 'jürgen@müller-bau.de'],
    ['email', '联系zhang@example.cn谢谢', 'zhang@example.cn'],
    ['email', '"line\\nbob@example.com"', 'bob@example.com'],
    ['email', '/users/bob%40example.com/edit', 'bob%40example.com'],
    ['phone', 'call +49 (0)171 1234567 now', '+49 (0)171 1234567'],
    ['phone', 'or (415) 555-0132.', '(415) 555-0132'],
    ['phone', 'tel 0612345678', '0612345678'],
    ['phone', '{"phone_number":"612345678"}', '612345678'],
    ['phone', '0049 89 123456 7', '0049 89 123456 7'],
    ['phone', 'telefon 532 756 23 66 2024-01-15', '532 756 23 66'],
    ['secret', 'password=":1z,}w"', ':1z,}w'],
    ['ssn', 'is 123-45-6789 ok', '123-45-6789'],
    ['ssn', 'ssn: 123456789', '123456789'],
    ['card', 'paid 4111-1111-1111-1111 ok', '4111-1111-1111-1111'],
    ['card', '"pan":"378282246310005"', '378282246310005'],
    ['iban', 'to DE89 3704 0044 0532 0130 00 by', 'DE89 3704 0044 0532 0130 00'],
    ['iban', 'gb82west12345698765432', 'gb82west12345698765432'],
    ['ipv4', 'from 203.0.113.7:443', '203.0.113.7'],
    ['ipv4', 'host/10.1.2.3', '10.1.2.3'],
    ['ipv6', 'ip:2001:db8::1 next', '2001:db8::1'],
    ['ipv6', '[fe80::1ff:fe23:4567:890a]:80', 'fe80::1ff:fe23:4567:890a'],
    ['api_key', `x sk-proj-${key}.`, `sk-proj-${key}`],
    ['api_key', `"sk-ant-api03-${key}"`, `sk-ant-api03-${key}`],
    ['api_key', 'AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
    ['api_key', `AIza${key}`, `AIza${key}`],
    ['api_key', `ghp_${key}`, `ghp_${key}`],
    ['api_key', 'xoxb-123456789012-abcdef', 'xoxb-123456789012-abcdef'],
    ['api_key', 'sk_live_abcdefghij', 'sk_live_abcdefghij'],
    ['api_key', `hf_${key}`, `hf_${key}`],
    ['api_key', 'https://hooks.slack.com/services/T0000000/B0000000/abcdefgh', 'T0000000/B0000000/abcdefgh'],
    ['bearer_token', 'authorization: bearer abcdefgh', 'abcdefgh'],
    ['bearer_token', 'Authorization: Basic dXNlcjpodW50ZXIy', 'dXNlcjpodW50ZXIy'],
    ['jwt', 'x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_def-123.', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_def-123'],
    ['jwt', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn'],
    ['connection_string', 'postgres://app:p@ss@db.internal/main', 'app:p@ss'],
    ['connection_string', 'redis://:hunter2@cache', ':hunter2'],
    ['secret', 'DB_PASSWORD=hunter2 x', 'hunter2'],
    ['secret', '{"user_password":"a\\"b"}', 'a\\"b'],
    ['secret', '"{\\"token\\":\\"zz\\"}"', 'zz'],
    ['secret', 'Cookie: a=b; c=d\nnext', 'a=b; c=d'],
    ['secret', 'curl -H "Cookie: a=\'x\'; c=d" x', "a='x'; c=d"],
    ['secret', '"Cookie: a=\\"x\\"; c=d\\r\\n"', 'a=\\"x\\"; c=d'],
    ['api_key', '\\u001b[31msk-x \\u001bghp_abcdefghijklmnopqrstuvwxyz0123', 'ghp_abcdefghijklmnopqrstuvwxyz0123'],
    ['secret', '"set-cookie":["a=b","c=d"],', 'a=b","c=d'],
    [
      'private_key',
      'x -----BEGIN RSA PRIVATE KEY-----\nMIIa+/=\n-----END RSA PRIVATE KEY----- y',
      '-----BEGIN RSA PRIVATE KEY-----\nMIIa+/=\n-----END RSA PRIVATE KEY-----',
    ],
    ['private_key', '-----BEGIN PRIVATE KEY-----\\nMIIabc', '-----BEGIN PRIVATE KEY-----\\nMIIabc'],
  ])('%s in %j', (type, text, value) => {
    expect(findSensitive(text).map(({ type, start, end }) => [type, text.slice(start, end)])).toEqual([[type, value]]);
  });
});

test.each([
  'sk-',
  'sk-or-',
  'sk_',
  'rk_test_',
  'whsec_',
  'ya29.',
  'GOCSPX-',
  'github_pat_',
  'gho_',
  'glpat-',
  'xoxp-',
  'xapp-',
  'xai-',
  'gsk_',
  'pplx-',
  'r8_',
  'npm_',
  'dapi',
])('a key with the prefix %s is found', (prefix) => {
  const text = `the key ${prefix}0${key} is wrong`;
  expect(findSensitive(text)).toMatchObject([{ type: 'api_key', start: 8, end: text.length - ' is wrong'.length }]);
});

describe('is left', () => {
  test.each([
    'order 4111111111111111 and payment 4111 1111 1111 1112',
    'invoice 555-123-4567, order number 020 7946 0958',
    'request 550e8400-e29b-41d4-a716-446655440000',
    '2024-01-15T10:00:00.123Z took 1700000000000 of 1.299,00',
    'v1.2.3.4, version 10.0.19045.1, Chrome/120.0.6099.109 and 1.2.3.4.5',
    'call failed after 12345678 bytes',
    '{"client":"mobile","bytes":12345678}',
    'tel 127.0.0.100',
    '127.0.0.1, 0.0.0.0, 255.255.255.0 and ::1',
    '00:1a:2b:3c:4d:5e at 12:34:56, aa:bb:cc:dd:ee:ff:00:11',
    'std::vector a::b ::',
    'SSNs are never 000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567 or 123-45-0000',
    'DE88370400440532013000 and XX00123456789',
    'logo@2x.png react@18.2.0 git@github.com:a/b @home a@b',
    'Bearer authentication failed; basic functionality',
    'password: must be set, token: expired, "password":null, pass=3',
    '"prompt_tokens":12,"max_token":4,"next_page_token":"abc1234567"',
    'sk-learn-contrib-pipelines-extra hf_7q2m8d task-1234567890123456',
    'https://example.com:8080/items/123456789?x=1 mailto:',
    '-----BEGIN CERTIFICATE-----\nMIIa\n-----END CERTIFICATE-----',
    'eyJ.eyJ.x and eyJhbGciOiJI without parts',
    '{"msg":"no password:","id":1} {"msg":"token="} {"msg":"secret=","token:":1}',
    '[email] [phone] [secret] password=[secret] Cookie: [secret]',
  ])('%j', (text) => {
    expect(findSensitive(text)).toEqual([]);
    expect(mask(text)).toBe(text);
  });
});

test('a check digit gives more confidence than a form', () => {
  const confidence = (text: string) => findSensitive(text)[0]!.confidence;
  expect(confidence('card 4111 1111 1111 1111')).toBeGreaterThan(confidence('415 555 0132'));
  expect(confidence('ssn 123-45-6789')).toBeGreaterThan(confidence('123-45-6789'));
});

test('what is left of JSON is JSON', () => {
  const line = JSON.stringify({
    a: 'to bob@example.com\n+49 30 123456\t',
    password: 'a"b\\',
    nested: JSON.stringify({ token: 'x"y', list: ['4111111111111111'] }),
    'set-cookie': ['a', 'b"c'],
  });
  const masked = JSON.parse(mask(line));
  expect(masked).toMatchObject({ a: 'to [email]\n[phone]\t', password: '[secret]', 'set-cookie': ['[secret]'] });
  expect(JSON.parse(masked.nested)).toEqual({ token: '[secret]', list: ['[card]'] });
});
