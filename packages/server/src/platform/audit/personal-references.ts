import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '@holdfast/kit/time';
import type { KeyRing } from '../keyring/index.ts';

/** What is never written into an event itself. */
export type PersonalKind = 'ip' | 'user_agent' | 'end_user' | 'name' | 'text';

/** Stands in events for a personal value. */
export interface PersonalReference {
  /** base64url of SHA-256(salt ‖ value in UTF-8): 43 characters. */
  readonly ref: string;
  /** What `holdfast.audit_personal` has to hold before the event counts; undefined once it does. */
  row: PersonalRow | undefined;
}

/** One row of `holdfast.audit_personal`. */
export interface PersonalRow {
  readonly ref: string;
  readonly organizationId: string | null;
  readonly kind: PersonalKind;
  /** Finds all references of one value, for those who have the master key. */
  readonly tag: Buffer;
  readonly salt: Buffer;
  /** The value, sealed for this reference. */
  readonly sealed: Buffer;
  /** Milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
}

export interface PersonalReferencesOptions {
  readonly keyRing: Pick<KeyRing, 'derive' | 'version' | 'versions'>;
  readonly random: Random;
  /** References that are kept for reuse. Default 20,000, at some 300 bytes each. */
  readonly maxKept?: number;
}

/** Longest value that is kept, in UTF-16 units: the reference is that of its beginning. */
export const maxPersonalLength = 512;

const saltBytes = 16;
const tagBytes = 16;
const nonceBytes = 12;
const authTagBytes = 16;
const msPerDay = 86_400_000;

/**
 * Makes references to personal values. The salt is what makes shredding work: without it nobody can try values against the hash, not
 * even the few billion addresses that there are; and without the sealed value nobody can tell it. Both are in one row, whose deletion shreds them.
 */
export class PersonalReferences {
  readonly #options: PersonalReferencesOptions;
  readonly #sealingKey: Buffer;
  readonly #tagKey: Buffer;
  #day = Number.NaN;
  #kept = 0;
  #byOrganization = new Map<string | null, Record<PersonalKind, Map<string, PersonalReference>>>();

  constructor(options: PersonalReferencesOptions) {
    this.#options = options;
    this.#sealingKey = options.keyRing.derive('audit personal values');
    this.#tagKey = options.keyRing.derive('audit personal tags');
  }

  /**
   * The same one for the same value of an organization within a day (UTC), so that a call costs a look into a map and a batch few rows. Only
   * for whoever writes one batch after the other: two transactions that write the row of one reference would wait for each other.
   */
  daily(organizationId: string | null, kind: PersonalKind, value: string, atMs: number): PersonalReference {
    const day = Math.floor(atMs / msPerDay);
    if (day !== this.#day) this.#forgetAll(day);
    let kinds = this.#byOrganization.get(organizationId);
    if (kinds === undefined) {
      kinds = { ip: new Map(), user_agent: new Map(), end_user: new Map(), name: new Map(), text: new Map() };
      this.#byOrganization.set(organizationId, kinds);
    }
    const kept = kinds[kind].get(value);
    if (kept !== undefined) return kept;
    if (this.#kept >= (this.#options.maxKept ?? 20_000)) {
      // Whoever sends a new value each time must not fill the memory. Those that are forgotten are made anew.
      this.#forgetAll(day);
      return this.daily(organizationId, kind, value, atMs);
    }
    this.#kept++;
    const made = this.fresh(organizationId, kind, value, atMs);
    kinds[kind].set(value, made);
    return made;
  }

  /** One that nobody else has. */
  fresh(organizationId: string | null, kind: PersonalKind, value: string, atMs: number): PersonalReference {
    const text = bounded(value);
    const { random, keyRing } = this.#options;
    const salt = Buffer.from(random.bytes(saltBytes));
    const ref = refOf(salt, text);
    const nonce = Buffer.from(random.bytes(nonceBytes));
    const cipher = createCipheriv('aes-256-gcm', this.#sealingKey, nonce).setAAD(Buffer.from(ref));
    const version = Buffer.alloc(4);
    version.writeUInt32BE(keyRing.version);
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return {
      ref,
      row: {
        ref,
        organizationId,
        kind,
        tag: tagOf(this.#tagKey, organizationId, kind, text),
        salt,
        sealed: Buffer.concat([version, nonce, cipher.getAuthTag(), sealed]),
        createdAtMs: atMs,
      },
    };
  }

  /** The tags under which references of the value may be stored, one for each version of the master key. */
  tags(organizationId: string | null, kind: PersonalKind, value: string): readonly Buffer[] {
    const { keyRing } = this.#options;
    return keyRing.versions.map((version) => tagOf(keyRing.derive('audit personal tags', version), organizationId, kind, bounded(value)));
  }

  /** The value of a stored reference; undefined when the row is not what was written: it is then no evidence of anything. */
  reveal({ ref, salt, sealed }: Pick<PersonalRow, 'ref' | 'salt' | 'sealed'>): string | undefined {
    try {
      const key = this.#options.keyRing.derive('audit personal values', sealed.readUInt32BE(0));
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(4, 4 + nonceBytes))
        .setAAD(Buffer.from(ref))
        .setAuthTag(sealed.subarray(4 + nonceBytes, 4 + nonceBytes + authTagBytes));
      const text = Buffer.concat([decipher.update(sealed.subarray(4 + nonceBytes + authTagBytes)), decipher.final()]).toString('utf8');
      // Says that it is the value that the event was written with, not only one that somebody sealed.
      return isReferenceOf(ref, salt, text) ? text : undefined;
    } catch {
      return undefined;
    }
  }

  /** Forgets what was kept of a value, so that a reference to it that comes later is a new one. */
  forget(organizationId: string | null, kind: PersonalKind, value: string): void {
    if (this.#byOrganization.get(organizationId)?.[kind].delete(value)) this.#kept--;
  }

  #forgetAll(day: number): void {
    this.#day = day;
    this.#kept = 0;
    this.#byOrganization = new Map();
  }
}

/** Whether an event that holds `ref` was written with this value: what an auditor checks who was given salt and value. */
export function isReferenceOf(ref: string, salt: Uint8Array, value: string): boolean {
  const [given, right] = [Buffer.from(ref), Buffer.from(refOf(salt, value))];
  return given.length === right.length && timingSafeEqual(given, right);
}

function refOf(salt: Uint8Array, text: string): string {
  return createHash('sha256').update(salt).update(text, 'utf8').digest('base64url');
}

function tagOf(key: Buffer, organizationId: string | null, kind: PersonalKind, text: string): Buffer {
  return createHmac('sha256', key)
    .update(`${organizationId ?? ''}\0${kind}\0${text}`, 'utf8')
    .digest()
    .subarray(0, tagBytes);
}

/** Whole characters: half of a surrogate pair would come back as another. */
function bounded(value: string): string {
  return (value.length > maxPersonalLength ? value.slice(0, maxPersonalLength) : value).toWellFormed();
}
