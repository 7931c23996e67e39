import type { LimitPolicy } from '../../policies/index.ts';

/** What of a policy goes to Redis, made once. */
export interface PolicyArguments {
  readonly kind: 'g' | 'w' | 'c';
  /** Comes before the key of a bucket, and begins with the letter of its kind. */
  readonly bucketPrefix: string;
  /** The kind, and `s` in shadow, `t` where it will be settled. */
  readonly flags: string;
  readonly numbers: readonly [string, string, string];
  /** How many marks follow each bucket of the answer. */
  readonly marks: number;
}

const known = new WeakMap<LimitPolicy, PolicyArguments>();

export function policyArguments(policy: LimitPolicy): PolicyArguments {
  let found = known.get(policy);
  if (!found) known.set(policy, (found = make(policy)));
  return found;
}

function make(policy: LimitPolicy): PolicyArguments {
  const settles = policy.unit === 'tokens';
  const flags = `${policy.kind[0]}${policy.shadow ? 's' : ''}${settles ? 't' : ''}`;
  switch (policy.kind) {
    case 'gcra':
      return {
        flags,
        kind: 'g',
        bucketPrefix: `g:${policy.name}:`,
        numbers: texts(policy.burst, policy.drain, policy.weight),
        marks: settles ? 4 : 0,
      };
    case 'window': {
      const { name, windowMs, slots } = policy;
      const limit = Math.min(policy.limit, Number.MAX_SAFE_INTEGER);
      return {
        flags,
        kind: 'w',
        bucketPrefix: `w:${name}:${windowMs}:${slots}:`,
        numbers: texts(limit, windowMs, slots),
        marks: settles ? 1 : 0,
      };
    }
    case 'concurrency':
      return {
        flags,
        kind: 'c',
        bucketPrefix: `c:${policy.name}:`,
        numbers: texts(policy.limit, policy.leaseMs, policy.retryAfterMs),
        marks: 0,
      };
  }
}

function texts(...numbers: [number, number, number]): [string, string, string] {
  return [String(numbers[0]), String(numbers[1]), String(numbers[2])];
}

const kinds = { g: 'gcra', w: 'window', c: 'concurrency' } as const;

/** `g:ip:203.0.113.7` read back. */
export function readBucketName(bucket: string): { kind: LimitPolicy['kind']; policy: string; key: string } {
  const kind = kinds[bucket[0] as keyof typeof kinds];
  const parts = bucket.split(':');
  return { kind, policy: parts[1]!, key: parts.slice(kind === 'window' ? 4 : 2).join(':') };
}
