import { HoldfastError } from '@holdfast/kit/errors';
import type { CallRateLimits } from '../../model/index.ts';

/** What a key may use of models; undefined does not limit it. */
export interface KeyRateLimits {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  readonly concurrent: number | undefined;
}

/** As they stand in the database and go over the wire: null does not limit. */
export interface KeyRateLimitFields {
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  readonly concurrent: number | null;
}

/** What to change: a field that is left out stays as it is, null takes the limit away. */
export type KeyRateLimitChanges = { readonly [Name in keyof KeyRateLimitFields]?: KeyRateLimitFields[Name] | undefined };

const fieldOf = {
  requestsPerMinute: 'requests_per_minute',
  tokensPerMinute: 'tokens_per_minute',
  concurrent: 'concurrent',
} as const satisfies Record<keyof KeyRateLimits, keyof KeyRateLimitFields>;

const names = Object.keys(fieldOf) as (keyof KeyRateLimits)[];

export function fromFields(fields: KeyRateLimitFields): KeyRateLimits {
  return {
    requestsPerMinute: fields.requests_per_minute ?? undefined,
    tokensPerMinute: fields.tokens_per_minute ?? undefined,
    concurrent: fields.concurrent ?? undefined,
  };
}

export function toFields({ requestsPerMinute, tokensPerMinute, concurrent }: KeyRateLimits): KeyRateLimitFields {
  return { requests_per_minute: requestsPerMinute ?? null, tokens_per_minute: tokensPerMinute ?? null, concurrent: concurrent ?? null };
}

/** Undefined for a key without any, so that the call path has one thing to look at. */
export function toCallRateLimits(limits: KeyRateLimits): CallRateLimits | undefined {
  return names.some((name) => limits[name] !== undefined) ? Object.freeze({ ...limits }) : undefined;
}

/** The limits of a new key: what is left out is as of the key that makes it. */
export function limitsOfNewKey(own: CallRateLimits | undefined, asked: KeyRateLimitChanges): KeyRateLimits {
  const limit = (name: keyof KeyRateLimits): number | undefined => {
    const value = asked[fieldOf[name]];
    return value === undefined ? own?.[name] : (value ?? undefined);
  };
  return { requestsPerMinute: limit('requestsPerMinute'), tokensPerMinute: limit('tokensPerMinute'), concurrent: limit('concurrent') };
}

/** Nobody hands on more than they have: `invalid_request` with the fields that are above the limits of the key that asks, or without one that it has. */
export function assertWithinOwnLimits(
  own: CallRateLimits | undefined,
  asked: KeyRateLimits,
  only: readonly (keyof KeyRateLimitFields)[] = Object.values(fieldOf),
): void {
  if (own === undefined) return;
  const details = names.flatMap((name) => {
    const most = own[name];
    const value = asked[name];
    if (most === undefined || !only.includes(fieldOf[name]) || (value !== undefined && value <= most)) return [];
    return [{ field: fieldOf[name], message: `must be set, and at most ${most}, which is the limit of your own key` }];
  });
  if (details.length > 0) throw new HoldfastError('invalid_request', { details });
}
