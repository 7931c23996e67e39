import type { Clock } from '@holdfast/kit/time';
import { ExpectedUse } from './expected-use.ts';
import { Latencies } from './latencies.ts';

/**
 * What the calls of one model have taught its strategy, by kind of call (`chat/stream`, …). It outlives the targets themselves, which a
 * reload makes anew.
 */
export class RoutingMemory {
  readonly #clock: Clock;
  readonly #latencies = new Map<string, Latencies>();
  readonly #expectedUse = new Map<string, ExpectedUse>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  latencies(kind: string): Latencies {
    return getOrAdd(this.#latencies, kind, () => new Latencies(this.#clock));
  }

  expectedUse(kind: string): ExpectedUse {
    return getOrAdd(this.#expectedUse, kind, () => new ExpectedUse());
  }
}

function getOrAdd<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
