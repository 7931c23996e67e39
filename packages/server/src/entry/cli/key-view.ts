import type { KeyRecord } from './dependencies.ts';
import { formatTable } from './table.ts';

/** A key on the wire, as `/api/keys` gives it. */
export function wireKey(key: KeyRecord, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    status: statusOf(key, nowMs),
    scopes: key.scopes,
    allowed_models: key.allowedModels ?? null,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    replaced_by: key.replacedBy ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  };
}

export function keyTable(keys: readonly KeyRecord[], nowMs: number): string {
  if (keys.length === 0) return 'There are no keys.\n';
  return formatTable(
    ['ID', 'KEY', 'NAME', 'STATUS', 'SCOPES', 'MODELS', 'EXPIRES', 'LAST USED'],
    keys.map((key) => [
      key.id,
      `${key.prefix}…`,
      key.name,
      statusOf(key, nowMs),
      key.scopes.join(','),
      key.allowedModels?.join(',') ?? 'all',
      minutes(key.expiresAt) ?? 'never',
      minutes(key.lastUsedAt) ?? 'never',
    ]),
  );
}

function statusOf(key: KeyRecord, nowMs: number): 'active' | 'replaced' | 'expired' | 'revoked' {
  if (key.revokedAt !== undefined) return 'revoked';
  if (key.expiresAt !== undefined && key.expiresAt.getTime() <= nowMs) return 'expired';
  return key.replacedBy === undefined ? 'active' : 'replaced';
}

function minutes(date: Date | undefined): string | undefined {
  return date && `${date.toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
