import type { ApiKeyBody } from '@holdfast/contracts';
import type { ApiKey, KeyStatus } from './api-key.ts';
import { toFields } from './key-rate-limits.ts';

/** A key as it goes over the wire. */
export function toKeyBody(key: ApiKey, status: KeyStatus): ApiKeyBody {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    status,
    scopes: [...key.scopes],
    allowed_models: key.allowedModels === undefined ? null : [...key.allowedModels],
    ...toFields(key.rateLimits),
    user_id: key.userId ?? null,
    created_at: key.createdAt.toISOString(),
    created_by_key_id: key.createdByKeyId ?? null,
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    replaced_by: key.replacedBy ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  };
}
