import { HoldfastError, isHoldfastError } from '../../errors/index.ts';
import type { CallContext } from '../call-context.ts';
import { isDeadline } from '../deadline-error.ts';
import { breakerChanged, callRejected, type BreakerChangeReason, type BreakerState } from '../events.ts';
import { causeTraits } from '../failure-cause.ts';
import { start, type Operation, type Policy } from '../policy.ts';
import { retryAfterMsOf } from '../retry-after.ts';
import { awaitAdmission } from './await-admission.ts';
import type { BreakerAdmission, BreakerPermit, BreakerRefusal, BreakerStatus, CircuitBreaker, LastFailure } from './circuit-breaker.ts';
import { createFailureCounter, type FailureCounter } from './failure-counter.ts';
import { readBreakerOptions, type BreakerOptions, type BreakerSettings } from './options.ts';
import { Permit, type PermitOwner } from './permit.ts';
import { SharedState } from './shared-state.ts';
import type { SharedBreakerState } from './store.ts';

export function createCircuitBreaker(options: BreakerOptions = {}): CircuitBreaker {
  return new Breaker(readBreakerOptions(options));
}

/** When another instance holds the probe, how long until it is worth asking the store again. */
const claimPauseMs = 1_000;

const maxOperatorTries = 10;

class Breaker implements CircuitBreaker, PermitOwner {
  readonly policy: Policy;
  readonly #settings: BreakerSettings;
  readonly #counter: FailureCounter;
  readonly #shared: SharedState;
  readonly #listeners = new Set<(change: { readonly from: BreakerState; readonly to: BreakerState }) => void>();
  readonly #totals = { succeeded: 0, failed: 0, refused: 0, opened: 0 };
  #generation = 0;
  #open = false;
  /** Monotonic; of an open breaker, when a probe may go. */
  #probeAt = 0;
  /** The longest wait that a target asked for since the last success, monotonic. */
  #askedUntil = 0;
  /** A probe is under way, or asked for. */
  #probing = false;
  #probe: Permit | undefined;
  #probeEndsAt = 0;
  /** A probe has begun since it opened. */
  #halfOpen = false;
  #byHand = false;
  #changedAt: number | undefined;
  #lastFailure: LastFailure | undefined;
  /** Shared by all calls until the next change: nothing in it belongs to one of them. */
  #permit: Permit;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
    this.#counter = createFailureCounter(settings);
    this.#permit = new Permit(this, 0, false);
    this.policy = (next) => this.#around(next);
    this.#shared = new SharedState(settings, (state) => this.#adopt(state));
  }

  get name(): string {
    return this.#settings.name;
  }

  get state(): BreakerState {
    if (!this.#open) return 'closed';
    return this.#halfOpen || this.#settings.clock.monotonic() >= this.#probeAt ? 'half_open' : 'open';
  }

  enter({ mayProbe = true }: { readonly mayProbe?: boolean } = {}): BreakerAdmission | Promise<BreakerAdmission> {
    return this.#open ? this.#enterOpen(mayProbe) : this.#permit;
  }

  async open(options: { readonly recoveryMs?: number } = {}): Promise<void> {
    const { recoveryMs = Number.POSITIVE_INFINITY } = options;
    await this.#byOperator({ state: 'open', recoveryMs, byHand: true });
  }

  async close(): Promise<void> {
    await this.#byOperator({ state: 'closed', recoveryMs: 0, byHand: true });
  }

  onChange(listener: (change: { readonly from: BreakerState; readonly to: BreakerState }) => void): () => void {
    const own = (change: { readonly from: BreakerState; readonly to: BreakerState }) => listener(change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  dispose(): void {
    this.#shared.dispose();
  }

  status(): BreakerStatus {
    const { name, mode, threshold, ratio, windowMs, recoveryMs, maxRecoveryMs, probeLeaseMs, clock } = this.#settings;
    return {
      name,
      state: this.state,
      byHand: this.#byHand,
      changedAt: this.#changedAt,
      probeInMs: this.#open ? Math.max(0, this.#probeAt - clock.monotonic()) : undefined,
      failures: this.#counter.failures,
      windowCalls: this.#counter.calls,
      totals: { ...this.#totals },
      lastFailure: this.#lastFailure,
      mode,
      threshold,
      ratio,
      windowMs,
      recoveryMs,
      maxRecoveryMs,
      probeLeaseMs,
    };
  }

  // --- what permits report

  permitSucceeded(permit: Permit): void {
    this.#totals.succeeded += 1;
    if (permit.generation !== this.#generation) return;
    if (permit.probe) return this.#change({ state: 'closed', recoveryMs: 0, byHand: false }, 'probe_succeeded');
    this.#askedUntil = 0;
    this.#counter.recordSuccess();
  }

  permitFailed(permit: Permit, error: unknown): void {
    const verdict = causeTraits[this.#settings.classify(error)].breaker;
    if (verdict === 'neither') return this.permitAbandoned(permit);
    if (verdict === 'alive') {
      if (permit.probe) this.permitSucceeded(permit);
      return;
    }
    this.#totals.failed += 1;
    this.#lastFailure = { at: this.#settings.clock.now(), ...describe(error) };
    // It was let through by a state that is no more: what it found out is old.
    if (permit.generation !== this.#generation) return;
    this.#heed(error);
    if (permit.probe) this.#trip('probe_failed');
    else if (this.#counter.recordFailure()) this.#trip('failures');
  }

  permitAbandoned(permit: Permit): void {
    // Only of the latest probe: one whose lease has ended no longer holds a claim.
    if (this.#probe !== permit) return;
    this.#probing = false;
    this.#probe = undefined;
    this.#shared.releaseProbe(permit.generation);
  }

  // --- open

  #enterOpen(mayProbe: boolean): BreakerAdmission | Promise<BreakerAdmission> {
    const now = this.#settings.clock.monotonic();
    if (now < this.#probeAt) return this.#refuse('open', this.#probeAt - now);
    if (this.#probing && now < this.#probeEndsAt) return this.#refuse('probing', Math.min(claimPauseMs, this.#probeEndsAt - now));
    if (!mayProbe) return this.#refuse('open', 0);
    this.#probing = true;
    this.#probeEndsAt = now + this.#settings.probeLeaseMs;
    const generation = this.#generation;
    const claim = this.#shared.claimProbe(generation);
    return typeof claim === 'boolean' ? this.#claimed(claim, generation) : claim.then((granted) => this.#claimed(granted, generation));
  }

  #claimed(granted: boolean, generation: number): BreakerAdmission {
    if (generation !== this.#generation) {
      // While the store was asked, somebody else changed the state.
      if (granted) this.#shared.releaseProbe(generation);
      if (!this.#open) return this.#permit;
      return this.#refuse('open', Math.max(0, this.#probeAt - this.#settings.clock.monotonic()));
    }
    if (!granted) {
      this.#probing = false;
      this.#probeAt = this.#settings.clock.monotonic() + claimPauseMs;
      return this.#refuse('probing', claimPauseMs);
    }
    if (!this.#halfOpen) {
      this.#halfOpen = true;
      this.#announce('open', 'half_open', 'probe_started', undefined);
    }
    this.#probe = new Permit(this, generation, true);
    return this.#probe;
  }

  #refuse(reason: 'open' | 'probing', retryAfterMs: number): BreakerRefusal {
    this.#totals.refused += 1;
    if (callRejected.hasSubscribers) callRejected.publish({ name: this.name, policy: 'breaker', reason });
    return { admitted: false, reason, retryAfterMs };
  }

  // --- around an operation

  #around<T>(next: Operation<T>): Operation<T> {
    return (context) => {
      const admission = this.#open ? this.#enterOpen(context.attempt === 1) : this.#permit;
      if (!(admission instanceof Promise)) return this.#run(next, context, admission);
      return awaitAdmission(admission, context, this.name, this.#settings.clock).then((granted) => this.#run(next, context, granted));
    };
  }

  #run<T>(next: Operation<T>, context: CallContext, admission: BreakerAdmission): Promise<T> {
    if (!admission.admitted) return Promise.reject(this.#refusal(admission));
    return start(next, context).then(
      (value) => {
        admission.succeeded();
        return value;
      },
      (error: unknown) => {
        this.#settle(admission, context, error);
        throw error;
      },
    );
  }

  /**
   * Ended from outside, it says nothing about the target: the caller has gone, or another racer won. A deadline does say
   * something, unless it passed in a queue of ours: a target that never answers would else never open anything.
   */
  #settle(permit: BreakerPermit, context: CallContext, error: unknown): void {
    const { cancellation, queued } = context;
    if (queued) return permit.abandoned();
    if (!cancellation.cancelled) return permit.failed(error);
    if (isDeadline(cancellation.reason)) return permit.failed(cancellation.reason);
    permit.abandoned();
  }

  #refusal({ reason, retryAfterMs }: BreakerRefusal): HoldfastError {
    const detail =
      reason === 'open' ? `${this.name}: the circuit breaker is open` : `${this.name}: a probe of the circuit breaker is under way`;
    // Opened by hand for good: nobody knows.
    if (retryAfterMs === Number.POSITIVE_INFINITY) return new HoldfastError('circuit_open', { detail });
    return new HoldfastError('circuit_open', { detail, retryAfterSeconds: Math.max(0.001, retryAfterMs / 1000) });
  }

  // --- changes

  /** A target that says how long it needs is not asked before. */
  #heed(error: unknown): void {
    const { clock, maxRecoveryMs } = this.#settings;
    const askedMs = retryAfterMsOf(error, () => clock.now());
    if (askedMs !== undefined) this.#askedUntil = Math.max(this.#askedUntil, clock.monotonic() + Math.min(askedMs, maxRecoveryMs));
  }

  #trip(reason: BreakerChangeReason): void {
    const { clock, recoveryMs } = this.#settings;
    this.#change({ state: 'open', recoveryMs: Math.max(recoveryMs, this.#askedUntil - clock.monotonic()), byHand: false }, reason);
  }

  #change(change: Omit<SharedBreakerState, 'generation'>, reason: BreakerChangeReason): void {
    const state = { ...change, generation: this.#generation + 1 };
    this.#apply(state, reason);
    // A failure is announced there, and what this instance knows stands.
    void this.#shared.publish(state).catch(() => {});
  }

  /** An operator's word stands, also against changes that other instances make in the same moment. */
  async #byOperator(change: Omit<SharedBreakerState, 'generation'>): Promise<void> {
    for (let tries = 0; tries < maxOperatorTries; tries++) {
      const state = { ...change, generation: this.#generation + 1 };
      this.#apply(state, 'by_hand');
      const inForce = await this.#shared.publish(state);
      if (inForce.generation === state.generation && inForce.state === state.state && inForce.byHand) return;
    }
    throw new HoldfastError('conflict', { detail: `${this.name}: other instances kept changing the state of the circuit breaker` });
  }

  /**
   * What the store says, whoever said it to the store: news, or another outcome of a change made here at the same moment. Open by hand is
   * another than open by itself, which would let a probe through.
   */
  #adopt(state: SharedBreakerState): void {
    const { generation } = state;
    const differs = (state.state === 'open') !== this.#open || state.byHand !== this.#byHand;
    if (generation > this.#generation || (generation === this.#generation && differs)) this.#apply(state, 'shared');
  }

  #apply(state: SharedBreakerState, reason: BreakerChangeReason): void {
    const { clock } = this.#settings;
    const from = this.state;
    this.#generation = state.generation;
    this.#permit = new Permit(this, state.generation, false);
    this.#open = state.state === 'open';
    this.#probeAt = clock.monotonic() + state.recoveryMs;
    this.#probing = false;
    this.#probe = undefined;
    this.#halfOpen = false;
    this.#byHand = state.byHand;
    this.#changedAt = clock.now();
    this.#counter.reset();
    this.#askedUntil = 0;
    if (this.#open) this.#totals.opened += 1;
    this.#announce(from, this.#open ? 'open' : 'closed', reason, this.#open ? state.recoveryMs : undefined);
  }

  #announce(from: BreakerState, to: BreakerState, reason: BreakerChangeReason, recoveryMs: number | undefined): void {
    if (breakerChanged.hasSubscribers) breakerChanged.publish({ name: this.name, from, to, reason, recoveryMs });
    for (const listener of this.#listeners) {
      try {
        listener({ from, to });
      } catch (error) {
        // As announcements do it: the breaker's call goes on, and the mistake is not hidden.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

function describe(error: unknown): { readonly code: string; readonly detail: string } {
  if (isHoldfastError(error)) return { code: error.code, detail: error.message };
  if (error instanceof Error) {
    const { code, status } = error as { code?: unknown; status?: unknown };
    const known = typeof code === 'string' ? code : typeof status === 'number' ? String(status) : error.name;
    return { code: known, detail: error.message };
  }
  return { code: typeof error, detail: String(error) };
}
