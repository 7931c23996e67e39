import type { BreakerStore, CircuitBreaker } from '@holdfast/kit/resilience';
import type { Clock } from '@holdfast/kit/time';
import type { KeptParts } from './kept-parts.ts';
import { createTargetGuard, type GuardSettings, type TargetGuard } from './target-guard.ts';

export interface GuardBookOptions {
  /** By `provider/model`. */
  readonly configured: ReadonlyMap<string, GuardSettings>;
  readonly kept: KeptParts;
  readonly clock: Clock;
  readonly breakerStore: BreakerStore | undefined;
}

/** Whoever knows breakers by the name of their target. */
export interface BreakerLookup {
  findBreaker(target: string): CircuitBreaker | undefined;
}

/**
 * The guards of all targets, by `provider/model`: those of the configuration, and those of names that pass through, which have
 * the defaults unless the configuration names the same target.
 */
export class GuardBook implements BreakerLookup {
  readonly #options: GuardBookOptions;
  readonly #guards = new Map<string, TargetGuard>();

  constructor(options: GuardBookOptions) {
    this.#options = options;
  }

  get(name: string, provider: object): TargetGuard {
    const known = this.#guards.get(name);
    if (known) return known;
    const { configured, kept, clock, breakerStore } = this.#options;
    const settings = configured.get(name) ?? {};
    const guard = kept.keep(keyOf(name), { on: [provider], settings }, () => createTargetGuard({ name, settings, clock, breakerStore }));
    this.#guards.set(name, guard);
    return guard;
  }

  /** Of a name that passed through and is no longer remembered. What an operator keeps open stays: clients choose what is forgotten. */
  forget(name: string): void {
    if (this.#options.configured.has(name) || isHeldOpen(this.findBreaker(name))) return;
    this.#end(name);
  }

  /**
   * What an operator keeps open in the generation before stays open where its guard was made anew: a new key or another threshold is no
   * word about the target.
   */
  holdOpen(before: Pick<GuardBook, 'breakers'>): void {
    for (const breaker of before.breakers()) {
      if (!isHeldOpen(breaker)) continue;
      const next = this.findBreaker(breaker.name);
      const { probeInMs } = breaker.status();
      // It holds here at once; that the others could not be told is announced.
      if (next && next !== breaker) next.open(probeInMs === Number.POSITIVE_INFINITY ? {} : { recoveryMs: probeInMs! }).catch(() => {});
    }
  }

  /** Those of the configuration first. */
  breakers(): readonly CircuitBreaker[] {
    return [...this.#guards.values()].flatMap(({ breaker }) => breaker ?? []);
  }

  findBreaker(name: string): CircuitBreaker | undefined {
    return this.#guards.get(name)?.breaker;
  }

  /** Ends what `next` does not go on with; without one, everything. */
  dispose(next?: BreakerLookup): void {
    for (const [name, { breaker }] of this.#guards) if (!breaker || next?.findBreaker(name) !== breaker) this.#end(name);
  }

  #end(name: string): void {
    this.#guards.get(name)?.breaker?.dispose();
    this.#guards.delete(name);
    // A later generation must not take over a breaker that no longer hears of the others.
    this.#options.kept.forget(keyOf(name));
  }
}

function isHeldOpen(breaker: CircuitBreaker | undefined): boolean {
  return breaker?.state === 'open' && breaker.status().byHand;
}

function keyOf(name: string): string {
  return `guard of ${name}`;
}
