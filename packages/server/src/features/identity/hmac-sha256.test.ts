import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHmacSha256 } from './hmac-sha256.ts';

test('is the HMAC of the library for every key and text', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      (key, texts) => {
        const own = createHmacSha256(Buffer.from(key));
        for (const text of texts) expect(own(text)).toBe(createHmac('sha256', Buffer.from(key)).update(text, 'utf8').digest('latin1'));
      },
    ),
    { numRuns: 500 },
  );
});
