import type { CallRejected, CallTimedOut, FallbackUsed, RetryAbandoned, RetryScheduled } from '../../resilience/index.ts';
import type { MetricDefinitions } from './definition.ts';
import type { Exposition } from './exposition.ts';
import { overflowLabel, SeriesTable } from './series-table.ts';

const name = 'target of the configuration (`provider/model`), or the name that you gave the policy; others are `other`';

export const policyMetrics = {
  retries: {
    name: 'holdfast_retries_total',
    type: 'counter',
    help: 'Attempts that failed and were repeated at the same target.',
    labels: { name, cause: 'kind of the failure' },
    example: 'sum by (name, cause) (rate(holdfast_retries_total[5m]))',
  },
  abandoned: {
    name: 'holdfast_retries_abandoned_total',
    type: 'counter',
    help: 'Failures that were passed on without another attempt at this target.',
    labels: { name, reason: 'why: `attempts` and `budget` ran out, `retry_after` was too far, the `cause` is not retried …' },
    example: 'sum by (name) (rate(holdfast_retries_abandoned_total{reason="budget"}[5m]))',
  },
  rejections: {
    name: 'holdfast_bulkhead_rejections_total',
    type: 'counter',
    help: 'Calls that a bound on what is under way at once turned away.',
    labels: { name, reason: '`queue_full` or `queue_timeout`' },
    example: 'sum by (name) (rate(holdfast_bulkhead_rejections_total[5m]))',
  },
  timeouts: {
    name: 'holdfast_timeouts_total',
    type: 'counter',
    help: 'Calls that a time limit of a policy ended.',
    labels: { name, policy: '`timeout` or `deadline`' },
    example: 'sum by (name) (rate(holdfast_timeouts_total[5m]))',
  },
  fallbacks: {
    name: 'holdfast_fallbacks_total',
    type: 'counter',
    help: 'Alternatives that were tried by a fallback of yours. What models do is in `holdfast_llm_attempt_failures_total`.',
    labels: { name, cause: 'kind of the failure' },
    example: 'sum by (name) (rate(holdfast_fallbacks_total[5m]))',
  },
} as const satisfies MetricDefinitions;

const counts = (labels: object) => new SeriesTable(Object.keys(labels), () => ({ count: 0 }), 1_000);

/** What retries, bulkheads, time limits and fallbacks do. */
export class PolicyMetrics {
  readonly #isKnown: (name: string) => boolean;
  readonly #retries = counts(policyMetrics.retries.labels);
  readonly #abandoned = counts(policyMetrics.abandoned.labels);
  readonly #rejections = counts(policyMetrics.rejections.labels);
  readonly #timeouts = counts(policyMetrics.timeouts.labels);
  readonly #fallbacks = counts(policyMetrics.fallbacks.labels);
  readonly tables = {
    [policyMetrics.retries.name]: this.#retries,
    [policyMetrics.abandoned.name]: this.#abandoned,
    [policyMetrics.rejections.name]: this.#rejections,
    [policyMetrics.timeouts.name]: this.#timeouts,
    [policyMetrics.fallbacks.name]: this.#fallbacks,
  };

  /** `isKnown`: whether a name may become a label. */
  constructor(isKnown: (name: string) => boolean) {
    this.#isKnown = isKnown;
  }

  recordRetry({ name: of, cause }: RetryScheduled): void {
    this.#retries.at([this.#label(of), cause]).count++;
  }

  recordAbandoned({ name: of, reason }: RetryAbandoned): void {
    this.#abandoned.at([this.#label(of), reason]).count++;
  }

  /** Those of breakers have a metric of their own. */
  recordRejection({ name: of, policy, reason }: CallRejected): void {
    if (policy !== 'breaker') this.#rejections.at([this.#label(of), reason]).count++;
  }

  recordTimeout({ name: of, policy }: CallTimedOut): void {
    this.#timeouts.at([this.#label(of), policy]).count++;
  }

  recordFallback({ name: of, cause }: FallbackUsed): void {
    this.#fallbacks.at([this.#label(of), cause]).count++;
  }

  expose(to: Exposition): void {
    to.counter(policyMetrics.retries, this.#retries, ({ count }) => count);
    to.counter(policyMetrics.abandoned, this.#abandoned, ({ count }) => count);
    to.counter(policyMetrics.rejections, this.#rejections, ({ count }) => count);
    to.counter(policyMetrics.timeouts, this.#timeouts, ({ count }) => count);
    to.counter(policyMetrics.fallbacks, this.#fallbacks, ({ count }) => count);
  }

  #label(of: string): string {
    return this.#isKnown(of) ? of : overflowLabel;
  }
}
