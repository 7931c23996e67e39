import { HoldfastError } from '../../errors/index.ts';
import { Cancellation, type Timer } from '../../time/index.ts';
import type { CallContext } from '../call-context.ts';
import { hedgeFinished, hedgeStarted } from '../events.ts';
import { start, type Operation, type Policy } from '../policy.ts';
import { retryAfterMsOf } from '../retry-after.ts';
import { LatencyWindow } from './latency-window.ts';
import { readHedgeOptions, type HedgeOptions, type HedgeSettings } from './options.ts';

/**
 * Sends a second request when the first takes longer than most do; the first answer is the answer, and the other request
 * is cancelled. A failure before that is left to `retry`; with both under way, only both failures are one.
 */
export function hedge(options: HedgeOptions = {}): Policy {
  const state = new HedgeState(readHedgeOptions(options));
  return <T>(next: Operation<T>): Operation<T> => {
    return (context) => {
      if (context.cancellation.cancelled) return Promise.reject(context.cancellation.reason);
      return new Promise<T>((resolve, reject) => new Race(state, next, context, resolve, reject));
    };
  };
}

/** How many second requests may be saved up: a quiet hour must not pay for a stampede. */
const maxCredit = 10;

/** What the calls of a policy share: latencies seen and second requests earned. */
class HedgeState {
  readonly settings: HedgeSettings;
  readonly #latencies: LatencyWindow;
  readonly #earned: number;
  #credit = 0;

  constructor(settings: HedgeSettings) {
    this.settings = settings;
    this.#earned = settings.maxExtraPercent / 100;
    this.#latencies = new LatencyWindow(settings.sampleCount, settings.afterPercentile, settings.minSamples);
  }

  /** When the second request of a call that begins now is due, in milliseconds; undefined for never. */
  begin(): number | undefined {
    this.#credit = Math.min(maxCredit, this.#credit + this.#earned);
    const { delayMs, minDelayMs } = this.settings;
    const observed = delayMs ?? this.#latencies.value;
    return observed === undefined ? undefined : Math.max(minDelayMs, observed);
  }

  record(latencyMs: number): void {
    this.#latencies.record(latencyMs);
  }

  /** The sum of twentieths falls short of the whole by a rounding error. */
  tryTake(): boolean {
    if (this.#credit < 1 - 1e-9) return false;
    this.#credit -= 1;
    return true;
  }
}

/** One call: one or two requests, one timer, one answer. */
class Race<T> {
  readonly #state: HedgeState;
  readonly #next: Operation<T>;
  readonly #parent: CallContext;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #startedAt: number;
  readonly #unlink: () => void;
  readonly #racers: Cancellation[] = [];
  #timer: Timer | undefined;
  #running = 0;
  #open = true;
  #failure: { readonly error: unknown; readonly at: number; readonly waitMs: number } | undefined;

  constructor(state: HedgeState, next: Operation<T>, parent: CallContext, resolve: (value: T) => void, reject: (reason: unknown) => void) {
    this.#state = state;
    this.#next = next;
    this.#parent = parent;
    this.#resolve = resolve;
    this.#reject = reject;
    const { clock } = state.settings;
    this.#startedAt = clock.monotonic();
    this.#unlink = parent.cancellation.onCancel((reason) => this.#cancel(reason));
    const dueMs = state.begin();
    if (dueMs !== undefined && this.#startedAt + dueMs < parent.deadlineAt) {
      this.#timer = clock.setTimeout(() => this.#hedge(dueMs), dueMs, true);
    }
    this.#run();
  }

  #run(): void {
    const at = this.#racers.length;
    const cancellation = new Cancellation();
    this.#racers.push(cancellation);
    this.#running += 1;
    start(this.#next, this.#parent.withCancellation(cancellation, this.#parent.deadlineAt, this.#parent.branch + at)).then(
      (value) => this.#succeeded(at, value),
      (error: unknown) => this.#failed(at, error),
    );
  }

  #hedge(afterMs: number): void {
    this.#timer = undefined;
    // A request that has already given a part of its answer is not raced.
    if (this.#parent.committed || !this.#state.tryTake()) return;
    const { name } = this.#state.settings;
    if (hedgeStarted.hasSubscribers) hedgeStarted.publish({ name, afterMs });
    this.#parent.onCommit((branch) => this.#dropOthers(branch - this.#parent.branch));
    this.#run();
  }

  #succeeded(at: number, value: T): void {
    if (!this.#close(at === 0 ? 'first' : 'second')) return;
    // Of the call, also when the second won: its own short latency alone would make every percentile, and so the delay, shrink.
    this.#state.record(this.#state.settings.clock.monotonic() - this.#startedAt);
    this.#dropOthers(at);
    this.#resolve(value);
  }

  #failed(at: number, error: unknown): void {
    this.#running -= 1;
    // How a racer ends that was cancelled says nothing.
    if (!this.#racers[at]!.cancelled) this.#remember(at, error);
    if (this.#running > 0 || !this.#close(undefined)) return;
    this.#reject(this.#failure ? this.#failure.error : error);
  }

  /**
   * Of two failures the one is told that asks for the longer wait: who tries again has to keep both. Else that of the
   * first request, since the second may only have found no slot.
   */
  #remember(at: number, error: unknown): void {
    const { clock } = this.#state.settings;
    const waitMs = retryAfterMsOf(error, () => clock.now()) ?? 0;
    const other = this.#failure;
    if (!other || waitMs > other.waitMs || (waitMs === other.waitMs && at < other.at)) this.#failure = { error, at, waitMs };
  }

  #cancel(reason: unknown): void {
    if (!this.#close(undefined)) return;
    this.#reject(reason);
    for (const racer of this.#racers) racer.cancel(reason);
  }

  #dropOthers(winner: number): void {
    for (let at = 0; at < this.#racers.length; at++) if (at !== winner) this.#racers[at]!.cancel(new HoldfastError('hedge_lost'));
  }

  #close(winner: 'first' | 'second' | undefined): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#timer?.cancel();
    this.#unlink();
    if (this.#racers.length > 1) {
      this.#parent.onCommit(undefined);
      if (hedgeFinished.hasSubscribers) hedgeFinished.publish({ name: this.#state.settings.name, winner });
    }
    return true;
  }
}
