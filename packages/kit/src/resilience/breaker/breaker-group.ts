import { checkNumber } from '../check-options.ts';
import { createCircuitBreaker } from './breaker.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { BreakerOptions } from './options.ts';

/** Breakers by name, made on first use: one for each target. */
export interface BreakerGroup {
  get(name: string): CircuitBreaker;
  /** Undefined when nobody has asked for it yet. */
  find(name: string): CircuitBreaker | undefined;
  list(): readonly CircuitBreaker[];
  /** Ends the subscriptions of all of them. */
  dispose(): void;
}

export interface BreakerGroupOptions extends Omit<BreakerOptions, 'name'> {
  /**
   * Most breakers kept; beyond that the one that was used longest ago is forgotten, closed ones first. Names may come
   * from clients. Default 1,000.
   */
  readonly maxBreakers?: number;
}

export function createBreakerGroup(options: BreakerGroupOptions = {}): BreakerGroup {
  const { maxBreakers: most = 1_000, ...breakerOptions } = options;
  const maxBreakers = checkNumber('breaker.maxBreakers', most, { min: 1, whole: true });
  // Faults of the options now, not at the first call.
  createCircuitBreaker(withoutStore(breakerOptions)).dispose();
  const breakers = new Map<string, CircuitBreaker>();

  function forgetOne(): void {
    let oldest: CircuitBreaker | undefined;
    for (const breaker of breakers.values()) {
      oldest ??= breaker;
      if (breaker.state !== 'closed') continue;
      oldest = breaker;
      break;
    }
    breakers.delete(oldest!.name);
    oldest!.dispose();
  }

  return {
    get(name) {
      let breaker = breakers.get(name);
      if (breaker) {
        // The order of a Map is that of insertion: the last is the latest used.
        breakers.delete(name);
      } else {
        if (breakers.size >= maxBreakers) forgetOne();
        breaker = createCircuitBreaker({ ...breakerOptions, name });
      }
      breakers.set(name, breaker);
      return breaker;
    },
    find: (name) => breakers.get(name),
    list: () => [...breakers.values()],
    dispose() {
      for (const breaker of breakers.values()) breaker.dispose();
      breakers.clear();
    },
  };
}

function withoutStore({ store: _store, ...rest }: BreakerOptions): BreakerOptions {
  return rest;
}
