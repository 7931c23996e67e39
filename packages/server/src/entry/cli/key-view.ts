import type { ApiKeyBody } from '@holdfast/contracts';
import { keyStatus, toKeyBody, type ApiKey } from '../../features/identity/index.ts';
import { formatTable } from './table.ts';

/** A key as `/api/keys` gives it. */
export function keyBody(key: ApiKey, nowMs: number): ApiKeyBody {
  return toKeyBody(key, keyStatus(key, nowMs));
}

export function keyTable(keys: readonly ApiKey[], nowMs: number): string {
  if (keys.length === 0) return 'There are no keys.\n';
  return formatTable(
    ['ID', 'KEY', 'NAME', 'STATUS', 'SCOPES', 'MODELS', 'LIMITS', 'EXPIRES', 'LAST USED'],
    keys.map((key) => [
      key.id,
      `${key.prefix}…`,
      key.name,
      keyStatus(key, nowMs),
      key.scopes.join(','),
      key.allowedModels?.join(',') ?? 'all',
      limitsText(key),
      minutes(key.expiresAt) ?? 'never',
      minutes(key.lastUsedAt) ?? 'never',
    ]),
  );
}

function limitsText({ rateLimits: { requestsPerMinute, tokensPerMinute, concurrent } }: ApiKey): string {
  const parts = [
    ...(requestsPerMinute === undefined ? [] : [`${requestsPerMinute} calls/min`]),
    ...(tokensPerMinute === undefined ? [] : [`${tokensPerMinute} tokens/min`]),
    ...(concurrent === undefined ? [] : [`${concurrent} at once`]),
  ];
  return parts.join(', ') || 'none';
}

function minutes(date: Date | undefined): string | undefined {
  return date && `${date.toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
