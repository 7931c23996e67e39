import type { HoldfastError } from '@holdfast/kit/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMasterKey, parseMasterKeys } from './master-key.ts';

const secret = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');

function faultOf(text: string): HoldfastError {
  try {
    parseMasterKeys(text, 'THE_SETTING');
  } catch (error) {
    return error as HoldfastError;
  }
  throw new Error('it was accepted');
}

describe('the text of a master key', () => {
  test.each([
    ['hex', secret.toString('hex')],
    ['upper-case hex', secret.toString('hex').toUpperCase()],
    ['base64', secret.toString('base64')],
    ['base64url', secret.toString('base64url')],
    ['a line break at the end', `${secret.toString('base64')}\n`],
    ['a comment', `# made on Friday\r\n1:${secret.toString('hex')}\r\n`],
  ])('is read as %s', (_, text) => {
    expect(parseMasterKeys(text, 'x')).toEqual([{ version: 1, secret }]);
  });

  test('may hold several versions, and the highest comes first', () => {
    const other = Buffer.alloc(32, 7);
    other[0] = 1;
    const keys = parseMasterKeys(`2:${other.toString('hex')},1:${secret.toString('base64')}`, 'x');
    expect(keys.map((key) => key.version)).toEqual([2, 1]);
    expect(parseMasterKeys(`1:${secret.toString('base64')}\n10:${other.toString('hex')}`, 'x')[0]?.version).toBe(10);
  });

  test('that was written is read back, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }), (bytes, version) => {
        fc.pre(new Set(bytes).size > 1);
        const key = { version, secret: Buffer.from(bytes) };
        expect(parseMasterKeys(formatMasterKey(key), 'x')).toEqual([key]);
      }),
    );
  });

  test.each([
    ['empty', ' \n'],
    ['a passphrase', 'correct horse battery staple'],
    ['too short', secret.subarray(1).toString('hex')],
    ['too long', Buffer.concat([secret, secret]).toString('base64')],
    ['one byte repeated', '00'.repeat(32)],
    ['of version 0', `0:${secret.toString('hex')}`],
    ['of a version beyond 31 bits', `2147483648:${secret.toString('hex')}`],
    ['given twice', `${secret.toString('hex')},1:${secret.toString('base64')}`],
  ])('that is %s is refused, naming the setting and not the value', (_, text) => {
    const fault = faultOf(text);
    expect(fault.code).toBe('master_key_unusable');
    expect(fault.message).toContain('THE_SETTING');
    if (text.trim() !== '') expect(JSON.stringify([fault.message, fault.details])).not.toContain(text.slice(4, 24));
  });
});
