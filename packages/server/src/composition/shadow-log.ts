import type { TakeDecided } from '@holdfast/kit/ratelimit';
import type { Clock } from '@holdfast/kit/time';

export interface ShadowRefusals {
  readonly level: string;
  /** Whose bucket it was, the last time. */
  readonly key: string;
  /** Since the line before, this one included. */
  readonly count: number;
}

/** Between two lines of one level. */
const quietMs = 10_000;

/**
 * What limits in shadow would have refused, one line a level and not one a request: whoever floods the server must not flood its log as
 * well. Levels are few, since they are named by the configuration.
 */
export function createShadowLog(clock: Clock, write: (refusals: ShadowRefusals) => void): (event: TakeDecided) => void {
  const levels = new Map<string, { quietUntilMs: number; count: number }>();
  return ({ decision }) => {
    for (const { refused, policy, key } of decision.buckets) {
      if (!refused || !policy.shadow) continue;
      let state = levels.get(policy.name);
      if (!state) levels.set(policy.name, (state = { quietUntilMs: Number.NEGATIVE_INFINITY, count: 0 }));
      state.count += 1;
      const nowMs = clock.monotonic();
      if (nowMs < state.quietUntilMs) continue;
      state.quietUntilMs = nowMs + quietMs;
      write({ level: policy.name, key, count: state.count });
      state.count = 0;
    }
  };
}
