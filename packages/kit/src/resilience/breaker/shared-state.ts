import { breakerStoreFailed, type BreakerStoreFailed } from '../events.ts';
import type { BreakerSettings } from './options.ts';
import type { SharedBreakerState } from './store.ts';

/** A breaker's side of the store: whatever the store does, the breaker goes on. */
export class SharedState {
  readonly #settings: BreakerSettings;
  readonly #adopt: (state: SharedBreakerState) => void;
  readonly #end: () => void;
  #disposed = false;

  constructor(settings: BreakerSettings, adopt: (state: SharedBreakerState) => void) {
    this.#settings = settings;
    this.#adopt = adopt;
    this.#end = this.#watch();
  }

  /** The state in force; one that is in force instead of ours is adopted. Rejects with what the store rejects with. */
  async publish(state: SharedBreakerState): Promise<SharedBreakerState> {
    if (this.#disposed) return state;
    try {
      const inForce = await this.#settings.store.publish(this.#settings.name, state);
      this.#adopt(inForce);
      return inForce;
    } catch (error) {
      this.#failed('publish', error);
      throw error;
    }
  }

  /** Granted when the store cannot say: one probe an instance is better than none. */
  claimProbe(generation: number): boolean | Promise<boolean> {
    if (this.#disposed) return true;
    const { store, name, probeLeaseMs } = this.#settings;
    try {
      const claim = store.claimProbe(name, generation, probeLeaseMs);
      return typeof claim === 'boolean' ? claim : claim.catch((error: unknown) => this.#failed('claim', error));
    } catch (error) {
      return this.#failed('claim', error);
    }
  }

  releaseProbe(generation: number): void {
    if (this.#disposed) return;
    try {
      const released = this.#settings.store.releaseProbe(this.#settings.name, generation);
      if (released) released.catch((error: unknown) => this.#failed('release', error));
    } catch (error) {
      this.#failed('release', error);
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#end();
  }

  #watch(): () => void {
    const { store, name } = this.#settings;
    try {
      return store.watch(
        name,
        (state) => {
          if (!this.#disposed) this.#adopt(state);
        },
        (error) => void this.#failed('watch', error),
      );
    } catch (error) {
      this.#failed('watch', error);
      return () => {};
    }
  }

  #failed(action: BreakerStoreFailed['action'], error: unknown): true {
    if (breakerStoreFailed.hasSubscribers) breakerStoreFailed.publish({ name: this.#settings.name, action, error });
    return true;
  }
}
