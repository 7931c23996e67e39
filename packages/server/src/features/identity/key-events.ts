import type { CanonicalValue } from '@holdfast/kit/audit';
import { Personal, type Initiator, type NewAuditEvent } from '../../platform/audit/index.ts';
import type { ApiKey } from './api-key.ts';
import { toFields } from './key-rate-limits.ts';
import type { KeyChanges } from './store.ts';

export function keyCreatedEvent(key: ApiKey, by: Initiator): NewAuditEvent {
  return { ...ofKey('key.created', key, by), details: { prefix: key.prefix, ...rightsOf(key) } };
}

/** Says what was changed, and to what. */
export function keyChangedEvent(key: ApiKey, { name, ...limits }: KeyChanges, by: Initiator): NewAuditEvent {
  return {
    ...ofKey('key.changed', key, by),
    details: {
      name: name === undefined ? undefined : new Personal('name', name),
      limits: Object.keys(limits).length === 0 ? undefined : (limits as CanonicalValue),
    },
  };
}

export function keyRotatedEvent(old: ApiKey, key: ApiKey, by: Initiator): NewAuditEvent {
  return {
    ...ofKey('key.rotated', old, by),
    details: { replaced_by: key.id, prefix: key.prefix, ends_at: old.expiresAt?.toISOString(), ...rightsOf(key) },
  };
}

export function keyRevokedEvent(key: ApiKey, by: Initiator): NewAuditEvent {
  return { ...ofKey('key.revoked', key, by), details: { scopes: [...key.scopes] } };
}

function ofKey(type: NewAuditEvent['type'], { id, organizationId }: ApiKey, by: Initiator) {
  return { type, organizationId, by, resource: { type: 'key', id } };
}

function rightsOf(key: ApiKey) {
  const limits = Object.entries(toFields(key.rateLimits)).filter(([, value]) => value !== null);
  return {
    name: new Personal('name', key.name),
    scopes: [...key.scopes],
    models: key.allowedModels?.length,
    expires_at: key.expiresAt?.toISOString(),
    limits: limits.length === 0 ? undefined : (Object.fromEntries(limits) as CanonicalValue),
  };
}
