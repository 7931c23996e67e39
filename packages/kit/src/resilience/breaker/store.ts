/** A breaker's state as instances tell it each other. Half-open is not among them: it is open whose time has passed. */
export interface SharedBreakerState {
  /** Grows by one with each change; of two with the same number, the one that the store has stands. */
  readonly generation: number;
  readonly state: 'closed' | 'open';
  /**
   * From now until a probe is let through, in milliseconds, Infinity for until it is closed by hand. A store that keeps
   * it MUST hand out what is left: instances share durations, never their clocks.
   */
  readonly recoveryMs: number;
  /** Opened or closed by an operator. */
  readonly byHand: boolean;
}

type Awaitable<T> = T | Promise<T>;

/**
 * Where the instances of a fleet share the states of their breakers. Calls are checked against what each instance knows;
 * only changes and the claim to the one probe come here. A store that rejects is announced and the instance goes on by
 * itself; one that hangs MUST reject after a while. `breakerStoreContract` of `@holdfast/kit/resilience/contract` says all of this in tests.
 */
export interface BreakerStore {
  /** Calls back with the state in force, if there is one, and with each that follows, whoever made it. Returns the end of it. */
  watch(name: string, listener: (state: SharedBreakerState) => void, onFailure: (error: unknown) => void): () => void;
  /** Keeps a state whose generation is greater than that of the one it has. Returns the one in force then. */
  publish(name: string, state: SharedBreakerState): Awaitable<SharedBreakerState>;
  /** Whether the caller may probe: one caller of a generation at a time, until it is released or the lease ends. */
  claimProbe(name: string, generation: number, leaseMs: number): Awaitable<boolean>;
  /** Gives a claim back, of a probe that came to no result. Releasing what is not claimed does nothing. */
  releaseProbe(name: string, generation: number): Awaitable<void>;
}
