import type { Scope } from '../../model/index.ts';
import type { KeyRateLimits } from './key-rate-limits.ts';

/** A key as people see it: everything but the secret, which is shown once and then known to its holder alone. */
export interface ApiKey {
  readonly id: string;
  readonly organizationId: string;
  readonly userId: string | undefined;
  readonly name: string;
  /** The first characters of the secret, to find it by. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** undefined allows every model. */
  readonly allowedModels: readonly string[] | undefined;
  readonly rateLimits: KeyRateLimits;
  readonly createdAt: Date;
  readonly createdByKeyId: string | undefined;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
  /** The key that took its place when it was rotated. */
  readonly replacedBy: string | undefined;
  /** Within about a minute. */
  readonly lastUsedAt: Date | undefined;
}

export type KeyStatus = 'active' | 'replaced' | 'expired' | 'revoked';

/** `replaced`: was rotated, and works until the grace period ends. */
export function keyStatus(key: Pick<ApiKey, 'revokedAt' | 'expiresAt' | 'replacedBy'>, nowMs: number): KeyStatus {
  if (key.revokedAt !== undefined) return 'revoked';
  if (key.expiresAt !== undefined && key.expiresAt.getTime() <= nowMs) return 'expired';
  return key.replacedBy === undefined ? 'active' : 'replaced';
}

export interface IssuedKey {
  readonly key: ApiKey;
  /** Exists here and in the answer, and nowhere else: never logged, never stored. */
  readonly secret: string;
}
