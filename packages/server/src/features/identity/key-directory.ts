import type { KeyDigest } from './key-hash.ts';

/** What the authenticator needs to know of a stored key, whatever its state. */
export interface StoredKey {
  readonly keyId: string;
  readonly organizationId: string;
  readonly userId: string | undefined;
  readonly digest: KeyDigest;
  readonly scopes: readonly string[];
  readonly allowedModels: readonly string[] | undefined;
  /** Unix milliseconds. */
  readonly expiresAtMs: number | undefined;
  readonly revoked: boolean;
}

export interface KeyUse {
  readonly keyId: string;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** A key that was changed or deleted; the same key with another `stamp` was changed again. */
export interface KeyChange {
  readonly keyId: string;
  readonly stamp: string;
}

export interface KeyChanges {
  /** Where the next question goes on. Opaque. */
  readonly mark: string;
  /** MAY repeat changes of the answer before; MUST NOT leave out any that was committed since its mark. */
  readonly changes: readonly KeyChange[];
  /** There were more than the answer holds: everything may have changed. */
  readonly truncated: boolean;
}

/** The keys of all organizations as the authenticator sees them. */
export interface KeyDirectory {
  find(digests: readonly KeyDigest[]): Promise<readonly StoredKey[]>;
  /** With no mark: only where to go on from. */
  changesSince(mark: string | undefined): Promise<KeyChanges>;
  markUsed(uses: readonly KeyUse[]): Promise<void>;
}

/** Says at once which key changed; may lose messages while it is not connected, and even before that is noticed. */
export interface KeyChangeSignal {
  subscribe(listener: (keyId: string) => void): () => void;
  onStateChange(listener: (connected: boolean) => void): () => void;
}
