import { HoldfastError } from '@holdfast/kit/errors';

/** Where the next page begins: the 16 bytes of the last id in base64url. Opaque to clients. */
export function encodeKeyCursor(lastId: string): string {
  return Buffer.from(lastId.replaceAll('-', ''), 'hex').toString('base64url');
}

export function decodeKeyCursor(cursor: string): string {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  // Decoding forgives what it does not know; what does not come back the same was not made by us.
  if (hex.length !== 32 || encodeKeyCursor(hex) !== cursor) {
    throw new HoldfastError('invalid_request', { details: [{ field: 'cursor', message: 'is not a `next_cursor` of this list' }] });
  }
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
