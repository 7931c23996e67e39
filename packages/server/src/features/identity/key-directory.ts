import type { CallRateLimits } from '../../model/index.ts';
import type { ChangeSource } from '../../platform/change-feed/index.ts';
import type { KeyDigest } from './key-hash.ts';

/** What the authenticator needs to know of a stored key, whatever its state. */
export interface StoredKey {
  readonly keyId: string;
  readonly organizationId: string;
  readonly organizationTier: string;
  readonly userId: string | undefined;
  readonly digest: KeyDigest;
  readonly scopes: readonly string[];
  readonly allowedModels: readonly string[] | undefined;
  readonly rateLimits: CallRateLimits | undefined;
  /** Unix milliseconds. */
  readonly expiresAtMs: number | undefined;
  readonly revoked: boolean;
}

export interface KeyUse {
  readonly keyId: string;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** The keys of all organizations as the authenticator sees them. */
export interface KeyDirectory extends ChangeSource {
  find(digests: readonly KeyDigest[]): Promise<readonly StoredKey[]>;
  markUsed(uses: readonly KeyUse[]): Promise<void>;
}
