import type { Clock } from '@holdfast/kit/time';
import type { ChangeSignal } from '../../platform/change-feed/index.ts';
import type { KeyRing } from '../../platform/keyring/index.ts';
import type { KeyDirectory } from './key-directory.ts';

export interface KeyAuthenticatorOptions {
  readonly directory: KeyDirectory;
  /** The database's notifications on the channel `holdfast_keys`. */
  readonly signal: ChangeSignal;
  readonly ring: KeyRing;
  readonly clock: Clock;
  /** Whether a secret that is not in the form of a key may be one all the same: true when HOLDFAST_BOOTSTRAP_KEY was such a one. */
  readonly acceptsGivenSecrets: boolean;
  readonly limits?: Partial<KeyAuthenticatorLimits>;
}

export interface KeyAuthenticatorLimits {
  /** Good keys kept in memory, about 1 KB each. Raise it when more keys than this are used in one minute. */
  readonly maxKeys: number;
  /** Refused keys kept in memory. */
  readonly maxRefusals: number;
  /** How long a good key is accepted without a word from the database: also how long it works while the database is away. */
  readonly maxAgeMs: number;
  /** How much longer it works while the database cannot be asked; its own end counts all the same. */
  readonly awayMs: number;
  /** Age from which a key in use is looked up again in the background, so that no call waits for it. */
  readonly refreshAgeMs: number;
  /** How long a refusal is remembered. */
  readonly refusalMs: number;
  /** How often changes are asked for; half of the second in which a revoked key must stop working, so that a slow answer has the other half. */
  readonly pollIntervalMs: number;
  /** How often times of last use are written. */
  readonly lastUsedIntervalMs: number;
  /** How long a question to the database may take before it counts as away. */
  readonly timeoutMs: number;
  /** Most keys in one lookup. */
  readonly maxBatch: number;
  /** Most keys that wait to be looked up. */
  readonly maxWaiting: number;
}

export const defaultKeyAuthenticatorLimits: KeyAuthenticatorLimits = Object.freeze({
  maxKeys: 10_000,
  maxRefusals: 10_000,
  maxAgeMs: 60_000,
  awayMs: 0,
  refreshAgeMs: 45_000,
  refusalMs: 5_000,
  pollIntervalMs: 500,
  lastUsedIntervalMs: 60_000,
  timeoutMs: 5_000,
  maxBatch: 256,
  maxWaiting: 4096,
});
