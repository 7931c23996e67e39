import { HoldfastError } from '../../errors/index.ts';
import { Cancellation, type Timer } from '../../time/index.ts';
import type { CallContext } from '../call-context.ts';
import { classifyFailure } from '../classify-failure.ts';
import { hedgeFinished, hedgeStarted } from '../events.ts';
import { start, type Operation, type Policy } from '../policy.ts';
import { retryAfterMsOf } from '../retry-after.ts';
import { Trigger } from './hedge-trigger.ts';
import { readHedgeOptions, type HedgeOptions } from './options.ts';

/**
 * Sends a second request when the first takes longer than most do; the first answer is the answer, and the other request
 * is cancelled. A failure before that is left to `retry`; with both under way, only both failures are one.
 */
export function hedge(options: HedgeOptions = {}): Policy {
  const trigger = new Trigger(readHedgeOptions(options));
  return <T>(next: Operation<T>): Operation<T> => {
    return (context) => {
      if (context.cancellation.cancelled) return Promise.reject(context.cancellation.reason);
      return new Promise<T>((resolve, reject) => new Race(trigger, next, context, resolve, reject));
    };
  };
}

/** One call: one or two requests, one timer, one answer. */
class Race<T> {
  readonly #trigger: Trigger;
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
  /** Whose first part is out. */
  #committed: number | undefined;
  #failure: { readonly error: unknown; readonly at: number; readonly waitMs: number } | undefined;

  constructor(trigger: Trigger, next: Operation<T>, parent: CallContext, resolve: (value: T) => void, reject: (reason: unknown) => void) {
    this.#trigger = trigger;
    this.#next = next;
    this.#parent = parent;
    this.#resolve = resolve;
    this.#reject = reject;
    const { clock } = trigger.settings;
    this.#startedAt = clock.monotonic();
    this.#unlink = parent.cancellation.onCancel((reason) => this.#cancel(reason));
    parent.onCommit((branch) => this.#commit(branch - parent.branch));
    const dueMs = trigger.begin();
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
    if (this.#parent.committed || !this.#trigger.tryTake()) return;
    const { name } = this.#trigger.settings;
    if (hedgeStarted.hasSubscribers) hedgeStarted.publish({ name, afterMs });
    this.#run();
  }

  /** The first part of an answer ends the race, and is what was waited for: how long a stream goes on says nothing about delay. */
  #commit(at: number): void {
    this.#committed = at;
    this.#timer?.cancel();
    this.#record();
    this.#dropOthers(at);
  }

  /** Of the call, also when the second won: its own short latency alone would make every percentile, and so the delay, shrink. */
  #record(): void {
    this.#trigger.record(this.#trigger.settings.clock.monotonic() - this.#startedAt);
  }

  #succeeded(at: number, value: T): void {
    // It did not listen when it lost, and the winner is still giving its answer.
    if (this.#committed !== undefined && this.#committed !== at) return this.#failed(at, new HoldfastError('hedge_lost'));
    if (!this.#close(at)) return;
    if (this.#committed === undefined) {
      this.#record();
      this.#dropOthers(at);
    }
    this.#resolve(value);
  }

  #failed(at: number, error: unknown): void {
    this.#running -= 1;
    // How a racer ends that was cancelled says nothing.
    if (!this.#racers[at]!.cancelled) this.#remember(at, error);
    // Once a part of its answer is out, nobody can take over from it, and no loser is waited for.
    if (this.#running > 0 && this.#committed !== at) return;
    if (!this.#close(this.#committed)) return;
    this.#reject(this.#failure ? this.#failure.error : error);
  }

  /**
   * Of two failures the one is told that asks for the longer wait: who tries again has to keep both. Else that of the
   * first request. A refusal of ours, such as that there was no slot for the second, is told only where there is nothing else,
   * whatever it asks for: the target said nothing by it.
   */
  #remember(at: number, error: unknown): void {
    const { clock } = this.#trigger.settings;
    const waitMs = classifyFailure(error) === 'refused' ? -1 : (retryAfterMsOf(error, () => clock.now()) ?? 0);
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

  #close(winner: number | undefined): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#timer?.cancel();
    this.#unlink();
    this.#parent.onCommit(undefined);
    if (this.#racers.length > 1 && hedgeFinished.hasSubscribers) {
      const { name } = this.#trigger.settings;
      hedgeFinished.publish({ name, winner: winner === undefined ? undefined : winner === 0 ? 'first' : 'second' });
    }
    return true;
  }
}
