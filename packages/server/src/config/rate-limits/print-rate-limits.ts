import { levelFields, tierFields } from './level-fields.ts';
import type { RateLimitConfiguration, TierConfiguration } from './rate-limit-configuration.ts';

/** Levels, tiers and endpoints as the file says them, one value a line. The reverse of what `readRateLimits` does. */
export function* printRateLimits({
  levels,
  tiers,
  endpoints,
}: RateLimitConfiguration): Iterable<readonly [path: readonly string[], value: unknown]> {
  for (const name of ['global', 'ip', 'user', 'key'] as const) {
    const level = levels[name];
    if (level) yield* fields(['levels', name], level);
    else if (name === 'global' || name === 'ip') yield [['levels', name], false];
  }
  for (const [name, tier] of Object.entries(tiers)) {
    // An empty map is the tier without limits.
    if (Object.keys(tier).length === 0) yield [['tiers', name], {}];
    else yield* fields(['tiers', name], tier);
  }
  for (const { name, per, exempt, ...level } of endpoints) {
    if (exempt) yield [['endpoints', name, 'exempt'], true];
    else {
      yield* fields(['endpoints', name], level);
      yield [['endpoints', name, 'per'], per];
    }
  }
}

const printed = Object.keys({ ...levelFields, ...tierFields }) as (keyof typeof levelFields | keyof typeof tierFields)[];

function* fields(path: readonly string[], level: TierConfiguration): Iterable<readonly [path: readonly string[], value: unknown]> {
  for (const name of printed) if (level[name] !== undefined) yield [[...path, name], level[name]];
}
