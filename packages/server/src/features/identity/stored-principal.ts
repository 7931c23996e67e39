import { scopes as knownScopes, type Principal, type Scope } from '../../model/index.ts';
import type { StoredKey } from './key-directory.ts';

/** A scope that this version does not know grants nothing. */
export function toPrincipal(key: StoredKey): Principal {
  return Object.freeze({
    organizationId: key.organizationId,
    organizationTier: key.organizationTier,
    keyId: key.keyId,
    userId: key.userId,
    scopes: new Set(key.scopes.filter(isScope)),
    allowedModels: key.allowedModels === undefined ? undefined : new Set(key.allowedModels),
    rateLimits: key.rateLimits,
  });
}

export function isScope(text: string): text is Scope {
  return (knownScopes as readonly string[]).includes(text);
}
