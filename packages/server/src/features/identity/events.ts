import { defineChannel } from '@holdfast/kit/events';
import type { ErrorCode } from '@holdfast/kit/errors';

export interface KeyChanged {
  readonly action: 'created' | 'changed' | 'rotated' | 'revoked';
  readonly keyId: string;
  readonly organizationId: string;
  /** The key that asked for it; undefined at the command line and on the first start. */
  readonly byKeyId: string | undefined;
}

export interface OrganizationChanged {
  readonly organizationId: string;
  readonly tier: string;
  /** As of a key. */
  readonly byKeyId: string | undefined;
}

export interface KeyRefused {
  readonly code: ErrorCode;
}

export interface UpkeepFailed {
  readonly task: 'lookup' | 'changes' | 'last-used';
  readonly error: unknown;
}

export const keyChanged = defineChannel<KeyChanged>('holdfast:identity:key-changed');
export const organizationChanged = defineChannel<OrganizationChanged>('holdfast:identity:organization-changed');
/** Somebody sent a key that is not accepted. Says why, and nothing of the key. */
export const keyRefused = defineChannel<KeyRefused>('holdfast:identity:key-refused');
/** The database did not answer. Known keys go on from memory for their bound; see the authenticator. */
export const upkeepFailed = defineChannel<UpkeepFailed>('holdfast:identity:upkeep-failed');
