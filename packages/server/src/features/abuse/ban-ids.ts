import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { parseIpRange, type Ban } from '@holdfast/kit/security';
import type { KeyRing } from '../../platform/keyring/index.ts';

export interface BanIds {
  /** The same on every instance and after a restart; of two bans of one range different ones, since somebody who was banned twice must not be followed through logs. */
  of(ban: Ban): string;
  /** The range whose ban it is or was; undefined for what is no id of this installation. */
  read(id: string): { readonly range: string; readonly bannedAtMs: number } | undefined;
}

const tagBytes = 12;
/** A range takes 43 characters at most, the time 9. */
const mostChars = 128;

/**
 * An id stands in paths, and so in logs: it must not tell the address, and it has to lead back to it, also when the ban has ended long ago. So
 * it is the range and the time, encrypted with keys derived from the master key. Deterministic: the initial vector is the authentication tag, an
 * HMAC of the text (the synthetic IV of RFC 5297, with HMAC-SHA-256 in place of S2V), so two texts share a key stream only when they are one.
 */
export function createBanIds(keyRing: Pick<KeyRing, 'derive' | 'versions'>): BanIds {
  const keys = keyRing.versions.map((version) => ({
    tag: keyRing.derive('ban id tags', version),
    text: keyRing.derive('ban id texts', version),
  }));
  const newest = keys[0]!;
  // Lists are read again and again, and bans are the same objects from their first to their last moment.
  const known = new WeakMap<Ban, string>();

  return {
    of(ban) {
      let id = known.get(ban);
      if (id === undefined) known.set(ban, (id = seal(newest, `${ban.bannedAtMs.toString(36)} ${ban.range}`)));
      return id;
    },
    read(id) {
      if (id.length > mostChars) return undefined;
      const sealed = Buffer.from(id, 'base64url');
      // One spelling for one id: what decodes leniently is none.
      if (sealed.length <= tagBytes || sealed.toString('base64url') !== id) return undefined;
      for (const key of keys) {
        const [time, range] = open(key, sealed)?.split(' ') ?? [];
        if (time !== undefined && range !== undefined && parseIpRange(range)) return { range, bannedAtMs: Number.parseInt(time, 36) };
      }
      return undefined;
    },
  };
}

interface Key {
  readonly tag: Buffer;
  readonly text: Buffer;
}

function seal(key: Key, text: string): string {
  const tag = tagOf(key, text);
  const cipher = createCipheriv('aes-256-ctr', key.text, vectorOf(tag));
  return Buffer.concat([tag, cipher.update(text, 'latin1'), cipher.final()]).toString('base64url');
}

function open(key: Key, sealed: Buffer): string | undefined {
  const tag = sealed.subarray(0, tagBytes);
  const decipher = createDecipheriv('aes-256-ctr', key.text, vectorOf(tag));
  const text = Buffer.concat([decipher.update(sealed.subarray(tagBytes)), decipher.final()]).toString('latin1');
  return timingSafeEqual(tagOf(key, text), tag) ? text : undefined;
}

function tagOf(key: Key, text: string): Buffer {
  return createHmac('sha256', key.tag).update(text, 'latin1').digest().subarray(0, tagBytes);
}

/** The last four bytes count the blocks. */
function vectorOf(tag: Buffer): Buffer {
  return Buffer.concat([tag, Buffer.alloc(16 - tagBytes)]);
}
