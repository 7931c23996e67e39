import type { BucketEvicted, SettlementLost, TakeDecided } from '../../ratelimit/index.ts';
import type { Exposition } from './exposition.ts';
import { SeriesTable } from './series-table.ts';

/** Limits by the name of the policy, which the configuration gives: never by whose bucket it is. */
export class RateLimitMetrics {
  readonly #decisions = new SeriesTable(['level'], () => ({ allowed: 0, refused: 0, shadow_refused: 0 }));
  readonly #evictions = new SeriesTable(['level'], () => ({ count: 0 }));
  readonly #lost = new SeriesTable(['level'], () => ({ count: 0 }));
  // One array for all lookups: it is read and forgotten before the next.
  readonly #label = [''];

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
    to.counterBy(
      'holdfast_rate_limit_decisions_total',
      'What each level said of what was asked of it: allowed, refused, or shadow_refused where it only counts.',
      this.#decisions,
      'decision',
      (series) => ({ ...series }),
    );
    to.counter(
      'holdfast_rate_limit_evictions_total',
      'Buckets in use that were forgotten because there were too many, by level.',
      this.#evictions,
      ({ count }) => count,
    );
    to.counter(
      'holdfast_rate_limit_settlements_lost_total',
      'Refunds and additions that did not reach the shared store, by level.',
      this.#lost,
      ({ count }) => count,
    );
  }
}
