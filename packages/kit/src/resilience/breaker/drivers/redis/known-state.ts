import type { Clock } from '../../../../time/index.ts';
import type { SharedBreakerState } from '../../store.ts';

/** What this instance knows of one name, whoever said it. */
export class KnownState {
  readonly listeners = new Set<(state: SharedBreakerState) => void>();
  readonly failureListeners = new Set<(error: unknown) => void>();
  readonly #clock: Clock;
  #state: SharedBreakerState | undefined;
  #at = 0;
  #confirmed = true;
  #unheard = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** With the time that is left now. */
  get state(): SharedBreakerState | undefined {
    const state = this.#state;
    if (!state || state.recoveryMs === Number.POSITIVE_INFINITY) return state;
    return { ...state, recoveryMs: Math.max(0, state.recoveryMs - (this.#clock.monotonic() - this.#at)) };
  }

  /** Whether the store has said so too. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** An operator's word that the store could not be told: it goes before whatever other instances made of the breaker meanwhile. */
  get goesFirst(): boolean {
    return this.#unheard && !this.#confirmed && this.#state?.byHand === true;
  }

  /** What this instance publishes, before the store has it. */
  propose(state: SharedBreakerState): void {
    if (this.#state && this.#state.generation > state.generation) return;
    this.#state = state;
    this.#at = this.#clock.monotonic();
    this.#confirmed = false;
    this.#unheard = false;
  }

  /** The store could not be told. False when it has said something since, so that there is nothing left to tell. */
  markUnheard(): boolean {
    this.#unheard = !this.#confirmed;
    return this.#unheard;
  }

  /** What the store says. Tells those who watch when it is news. False when what this instance knows has to go to the store first. */
  adopt(state: SharedBreakerState): boolean {
    const known = this.#state;
    if (known && known.generation > state.generation) return false;
    if (this.goesFirst && !(state.byHand && state.state === known!.state)) return false;
    const news = !known || !this.#confirmed || known.generation < state.generation || known.state !== state.state;
    this.#confirmed = true;
    if (news) {
      this.#state = state;
      this.#at = this.#clock.monotonic();
      for (const listener of [...this.listeners]) listener(state);
    }
    return true;
  }
}
