import type { TreeHead } from './tree-head.ts';

const label = Buffer.from('subtree/v1\n\0', 'latin1');

/**
 * What an ML-DSA-44 signature of a checkpoint signs: `cosigned_message` of C2SP's tlog-cosignature, in the serialisation of
 * TLS (RFC 8446, section 3). It begins at leaf 0, as all checkpoints do.
 */
export function cosignedMessage(cosigner: string, timestamp: number, { origin, size, root }: TreeHead): Buffer {
  return Buffer.concat([label, opaque(cosigner), uint64(timestamp), opaque(origin), uint64(0), uint64(size), root]);
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function opaque(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length === 0 || bytes.length > 255) throw new TypeError('a name or origin has 1 to 255 bytes');
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
