import type { Decision } from './decision.ts';
import type { LimitPolicy } from './policies/index.ts';

/**
 * What the client is told, as header fields in lower case, of the one bucket that binds; empty when nothing limits. `x-ratelimit-limit`,
 * `-remaining` and `-reset` (Unix seconds) as they are common, `ratelimit` and `ratelimit-policy` of
 * draft-ietf-httpapi-ratelimit-headers-11, and `retry-after` (seconds) when refused, unless waiting never helps.
 *
 * The limit of a GCRA bucket is its burst, and its window the time in which that comes back, so that what remains is never more than the limit.
 */
export function headerFields(decision: Decision): Record<string, string> {
  const { binding } = decision;
  if (!binding) return {};
  const fixed = fixedFields(binding.policy);
  const remaining = String(binding.remaining);
  const resetSeconds = Math.ceil(binding.resetAfterMs / 1000);
  const fields: Record<string, string> = {
    'x-ratelimit-limit': fixed.limit,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-reset': String(Math.ceil((decision.nowMs + binding.resetAfterMs) / 1000)),
    'ratelimit-policy': fixed.policy,
    ratelimit: `${fixed.item};r=${remaining}${binding.policy.kind === 'concurrency' ? '' : `;t=${resetSeconds}`}`,
  };
  if (!decision.allowed && Number.isFinite(decision.retryAfterMs)) fields['retry-after'] = String(Math.ceil(decision.retryAfterMs / 1000));
  return fields;
}

interface FixedFields {
  readonly limit: string;
  readonly item: string;
  readonly policy: string;
}

/** Of a policy these never change, and requests are many. */
const known = new WeakMap<LimitPolicy, FixedFields>();

function fixedFields(policy: LimitPolicy): FixedFields {
  let fields = known.get(policy);
  if (fields) return fields;
  const limit = policy.kind === 'gcra' ? policy.burst : policy.limit;
  // A name has no character that a structured field would have to escape.
  const item = `"${policy.name}"`;
  const unit = policy.unit === 'requests' ? '' : `;qu="${policy.unit}"`;
  const windowMs = policy.kind === 'gcra' ? (policy.burst * policy.weight) / policy.drain : policy.kind === 'window' ? policy.windowMs : 0;
  const window = windowMs > 0 ? `;w=${Math.ceil(windowMs / 1000)}` : '';
  fields = { limit: String(limit), item, policy: `${item};q=${limit}${unit}${window}` };
  known.set(policy, fields);
  return fields;
}
