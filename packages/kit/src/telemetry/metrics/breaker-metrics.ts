import type { BreakerChanged, CallRejected } from '../../resilience/index.ts';
import type { Exposition } from './exposition.ts';
import { overflowLabel, SeriesTable } from './series-table.ts';

/** How often circuit breakers change and refuse. What state they are in is asked of them. */
export class BreakerMetrics {
  readonly #isKnown: (name: string) => boolean;
  readonly #changes = new SeriesTable(['breaker', 'to', 'reason'], () => ({ count: 0 }));
  readonly #refusals = new SeriesTable(['breaker'], () => ({ count: 0 }));
  readonly #labels = [''];

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
    to.counter(
      'holdfast_circuit_breaker_transitions_total',
      'Changes of circuit breakers, by the state that they went to and why; `shared`: another instance was first.',
      this.#changes,
      ({ count }) => count,
    );
    to.counter(
      'holdfast_circuit_breaker_rejections_total',
      'Calls that a circuit breaker kept from its target.',
      this.#refusals,
      ({ count }) => count,
    );
  }

  #label(name: string): string {
    return this.#isKnown(name) ? name : overflowLabel;
  }
}
