import type { BucketEvicted, SettlementLost, TakeDecided } from '../../ratelimit/index.ts';
import type { MetricDefinitions } from './definition.ts';
import type { Exposition } from './exposition.ts';
import { SeriesTable } from './series-table.ts';

const level = 'name of the level or limit, as the configuration gives it; never whose bucket it is';

export const rateLimitMetrics = {
  decisions: {
    name: 'holdfast_rate_limit_decisions_total',
    type: 'counter',
    help: 'What each level said of what was asked of it: allowed, refused, or shadow_refused where it only counts.',
    labels: { level, decision: '`allowed`, `refused` or `shadow_refused`' },
    example: 'sum by (level) (rate(holdfast_rate_limit_decisions_total{decision="refused"}[5m]))',
  },
  evictions: {
    name: 'holdfast_rate_limit_evictions_total',
    type: 'counter',
    help: 'Buckets in use that were forgotten because there were too many, by level.',
    labels: { level },
    example: 'rate(holdfast_rate_limit_evictions_total[5m]) > 0',
  },
  lost: {
    name: 'holdfast_rate_limit_settlements_lost_total',
    type: 'counter',
    help: 'Refunds and additions that did not reach the shared store, by level.',
    labels: { level },
    example: 'rate(holdfast_rate_limit_settlements_lost_total[5m]) > 0',
  },
} as const satisfies MetricDefinitions;

/** Limits by the name of the policy, which the configuration gives: never by whose bucket it is. */
export class RateLimitMetrics {
  readonly #decisions = new SeriesTable(['level'], () => ({ allowed: 0, refused: 0, shadow_refused: 0 }));
  readonly #evictions = new SeriesTable(['level'], () => ({ count: 0 }));
  readonly #lost = new SeriesTable(['level'], () => ({ count: 0 }));
  // One array for all lookups: it is read and forgotten before the next.
  readonly #label = [''];
  readonly tables = {
    [rateLimitMetrics.decisions.name]: this.#decisions,
    [rateLimitMetrics.evictions.name]: this.#evictions,
    [rateLimitMetrics.lost.name]: this.#lost,
  };

  record({ decision }: TakeDecided): void {
    const { buckets } = decision;
    for (let at = 0; at < buckets.length; at++) {
      const { policy, refused, taken } = buckets[at]!;
      this.#label[0] = policy.name;
      const series = this.#decisions.at(this.#label);
      if (refused) {
        if (policy.shadow) series.shadow_refused++;
        else series.refused++;
      } else if (taken) series.allowed++;
      // What had room and was refused by another took nothing, and is counted there.
    }
  }

  recordEviction({ policy }: BucketEvicted): void {
    this.#evictions.at([policy]).count++;
  }

  recordLost({ policies }: SettlementLost): void {
    for (const policy of policies) this.#lost.at([policy]).count++;
  }

  expose(to: Exposition): void {
    to.counterBy(rateLimitMetrics.decisions, this.#decisions, (series) => ({ ...series }));
    to.counter(rateLimitMetrics.evictions, this.#evictions, ({ count }) => count);
    to.counter(rateLimitMetrics.lost, this.#lost, ({ count }) => count);
  }
}
