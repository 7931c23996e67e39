import type { BreakerChanged, CallRejected } from '../../resilience/index.ts';
import type { MetricDefinitions } from './definition.ts';
import type { Exposition } from './exposition.ts';
import { overflowLabel, SeriesTable } from './series-table.ts';

const breaker = 'target of the configuration (`provider/model`), `database`, `redis`, or the name that you gave; others are `other`';

export const breakerMetrics = {
  transitions: {
    name: 'holdfast_circuit_breaker_transitions_total',
    type: 'counter',
    help: 'Changes of circuit breakers, by the state that they went to and why; `shared`: another instance was first.',
    labels: { breaker, to: '`closed`, `half_open` or `open`', reason: 'what moved it' },
    example: 'sum by (breaker) (increase(holdfast_circuit_breaker_transitions_total{to="open"}[1h]))',
  },
  rejections: {
    name: 'holdfast_circuit_breaker_rejections_total',
    type: 'counter',
    help: 'Calls that a circuit breaker kept from its target.',
    labels: { breaker },
    example: 'sum by (breaker) (rate(holdfast_circuit_breaker_rejections_total[5m]))',
  },
} as const satisfies MetricDefinitions;

/** How often circuit breakers change and refuse. What state they are in is asked of them. */
export class BreakerMetrics {
  readonly #isKnown: (name: string) => boolean;
  readonly #changes = new SeriesTable(Object.keys(breakerMetrics.transitions.labels), () => ({ count: 0 }), 2_000);
  readonly #refusals = new SeriesTable(Object.keys(breakerMetrics.rejections.labels), () => ({ count: 0 }));
  readonly #labels = [''];
  readonly tables = { [breakerMetrics.transitions.name]: this.#changes, [breakerMetrics.rejections.name]: this.#refusals };

  /** `isKnown`: whether a name may become a label. Clients choose those of targets that are passed through. */
  constructor(isKnown: (name: string) => boolean) {
    this.#isKnown = isKnown;
  }

  recordChange({ name, to, reason }: BreakerChanged): void {
    this.#changes.at([this.#label(name), to, reason]).count++;
  }

  recordRejection({ name, policy }: CallRejected): void {
    if (policy !== 'breaker') return;
    this.#labels[0] = this.#label(name);
    this.#refusals.at(this.#labels).count++;
  }

  expose(to: Exposition): void {
    to.counter(breakerMetrics.transitions, this.#changes, ({ count }) => count);
    to.counter(breakerMetrics.rejections, this.#refusals, ({ count }) => count);
  }

  #label(name: string): string {
    return this.#isKnown(name) ? name : overflowLabel;
  }
}
