import type { ApiKeyBody } from '@holdfast/contracts';
import { keyStatus, type ApiKey } from '../../features/identity/index.ts';
import { formatTable } from './table.ts';

/** A key as `/api/keys` gives it. */
export function keyBody(key: ApiKey, nowMs: number): ApiKeyBody {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    status: keyStatus(key, nowMs),
    scopes: [...key.scopes],
    allowed_models: key.allowedModels === undefined ? null : [...key.allowedModels],
    user_id: key.userId ?? null,
    created_at: key.createdAt.toISOString(),
    created_by_key_id: key.createdByKeyId ?? null,
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    replaced_by: key.replacedBy ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  };
}

export function keyTable(keys: readonly ApiKey[], nowMs: number): string {
  if (keys.length === 0) return 'There are no keys.\n';
  return formatTable(
    ['ID', 'KEY', 'NAME', 'STATUS', 'SCOPES', 'MODELS', 'EXPIRES', 'LAST USED'],
    keys.map((key) => [
      key.id,
      `${key.prefix}…`,
      key.name,
      keyStatus(key, nowMs),
      key.scopes.join(','),
      key.allowedModels?.join(',') ?? 'all',
      minutes(key.expiresAt) ?? 'never',
      minutes(key.lastUsedAt) ?? 'never',
    ]),
  );
}

function minutes(date: Date | undefined): string | undefined {
  return date && `${date.toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
