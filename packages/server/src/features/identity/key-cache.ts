import type { ErrorCode } from '@holdfast/kit/errors';
import type { Principal } from '../../model/index.ts';
import type { KeyDigest } from './key-hash.ts';

/** A key that was found good. Times without a word are of the monotonic clock. */
export interface CachedKey {
  /** Under the newest version of the ring, whatever version it is stored under. */
  readonly digest: KeyDigest;
  /** Under every version, for looking it up again. */
  readonly digests: readonly KeyDigest[];
  readonly principal: Principal;
  /** Unix milliseconds; Infinity when it never expires. */
  readonly expiresAtUnixMs: number;
  /** From here on it must be looked up again before it is accepted. */
  readonly staleAtMs: number;
  /** From here on it is looked up again while it is still accepted. */
  refreshAtMs: number;
  /** The database could not be asked when its time was over. */
  away: boolean;
  /** Unix milliseconds of its last use since uses were last written; 0 for none. */
  usedAtUnixMs: number;
}

export interface KeyCache {
  readonly size: number;
  get(digest: KeyDigest): CachedKey | undefined;
  put(key: CachedKey): void;
  dropKey(keyId: string): void;
  /** Every key of it. */
  dropOrganization(organizationId: string): void;
  drop(key: CachedKey): void;
  clear(): void;
}

/**
 * Holds good keys only, so a flood of bad ones can push nothing out of it. When it is full the one that was looked up longest
 * ago goes: keys in use are looked up again each minute and so come last.
 */
export function createKeyCache(maxKeys: number): KeyCache {
  const byDigest = new Map<KeyDigest, CachedKey>();
  const byKeyId = new Map<string, CachedKey>();
  const byOrganizationId = new Map<string, Set<CachedKey>>();

  function drop(key: CachedKey): void {
    if (byDigest.get(key.digest) === key) byDigest.delete(key.digest);
    if (byKeyId.get(key.principal.keyId) === key) byKeyId.delete(key.principal.keyId);
    const siblings = byOrganizationId.get(key.principal.organizationId);
    siblings?.delete(key);
    if (siblings?.size === 0) byOrganizationId.delete(key.principal.organizationId);
  }

  return {
    get size() {
      return byDigest.size;
    },
    get: (digest) => byDigest.get(digest),
    put(key) {
      for (const old of [byDigest.get(key.digest), byKeyId.get(key.principal.keyId)]) if (old) drop(old);
      if (byDigest.size >= maxKeys) {
        for (const oldest of byDigest.values()) {
          drop(oldest);
          break;
        }
      }
      byDigest.set(key.digest, key);
      byKeyId.set(key.principal.keyId, key);
      const siblings = byOrganizationId.get(key.principal.organizationId);
      if (siblings) siblings.add(key);
      else byOrganizationId.set(key.principal.organizationId, new Set([key]));
    },
    dropKey(keyId) {
      const key = byKeyId.get(keyId);
      if (key) drop(key);
    },
    dropOrganization(organizationId) {
      for (const key of byOrganizationId.get(organizationId) ?? []) drop(key);
    },
    drop,
    clear() {
      byDigest.clear();
      byKeyId.clear();
      byOrganizationId.clear();
    },
  };
}

export interface RefusalCache {
  readonly size: number;
  get(digest: KeyDigest, nowMs: number): ErrorCode | undefined;
  put(digest: KeyDigest, code: ErrorCode, untilMs: number): void;
}

/** Keys that were looked up and refused a moment ago. Bounded, short-lived and apart from the good ones; the oldest goes first. */
export function createRefusalCache(maxRefusals: number): RefusalCache {
  const refusals = new Map<KeyDigest, { readonly code: ErrorCode; readonly untilMs: number }>();
  return {
    get size() {
      return refusals.size;
    },
    get(digest, nowMs) {
      const refusal = refusals.get(digest);
      if (refusal === undefined) return undefined;
      if (nowMs < refusal.untilMs) return refusal.code;
      refusals.delete(digest);
      return undefined;
    },
    put(digest, code, untilMs) {
      refusals.delete(digest);
      if (refusals.size >= maxRefusals) {
        for (const oldest of refusals.keys()) {
          refusals.delete(oldest);
          break;
        }
      }
      refusals.set(digest, { code, untilMs });
    },
  };
}
