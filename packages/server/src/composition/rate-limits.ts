import type { RateLimiter } from '@holdfast/kit/ratelimit';
import type { Configuration } from '../config/index.ts';
import type { RequestLimits as DoorLimits } from '../entry/http/index.ts';
import type { Reloadable } from '../features/configuration/index.ts';
import { ReloadableRequestLimits, type RequestLimits } from '../features/limits/index.ts';
import type { CallLimits, CallLimitSettings, CallRateLimits } from '../model/index.ts';

type Settings = Configuration['rateLimits'];

export interface RateLimits {
  /** Of requests, for the door. */
  readonly requests: RequestLimits & DoorLimits;
  /** Of calls of models. */
  readonly calls: CallLimits;
  /** The tiers that there are at this moment. */
  readonly tierNames: () => readonly string[];
  readonly reload: Reloadable<Configuration>;
}

/** What is limited by the configuration, at the door and on the way to a model, each replaced as a whole by a reload. */
export function openRateLimits({ rateLimits }: Configuration, limiter: RateLimiter): RateLimits {
  const requests = new ReloadableRequestLimits(enabledOnly(rateLimits));
  let settings = rateLimits;
  let current = callSettings(rateLimits);
  return {
    requests: Object.assign(requests, { limiter }),
    calls: {
      limiter,
      get current() {
        return current;
      },
    },
    tierNames: () => Object.keys(settings.tiers),
    reload: {
      prepare({ rateLimits: next }) {
        const commitRequests = requests.prepare(enabledOnly(next));
        const nextCalls = callSettings(next);
        return {
          commit() {
            commitRequests();
            settings = next;
            current = nextCalls;
          },
          discard() {},
        };
      },
    },
  };
}

function enabledOnly(rateLimits: Settings): Settings | undefined {
  return rateLimits.enabled ? rateLimits : undefined;
}

function callSettings({ enabled, shadow, assumedCompletionTokens, tiers }: Settings): CallLimitSettings | undefined {
  if (!enabled) return undefined;
  const byTier = new Map(Object.entries(tiers).map(([name, tier]) => [name, ofTier(tier)]));
  return {
    // A tier that was taken out of the configuration counts as the least of those that come with the package, as at the door.
    organizationLimits: ({ organizationTier }) => byTier.get(byTier.has(organizationTier) ? organizationTier : 'basic'),
    assumedCompletionTokens,
    shadow,
  };
}

/** Requests of an organization are counted at the door, whatever they are for. */
function ofTier({ tokensPerMinute, concurrent, shadow }: Settings['tiers'][string]): CallRateLimits | undefined {
  return tokensPerMinute === undefined && concurrent === undefined ? undefined : { tokensPerMinute, concurrent, shadow };
}
