import { isHoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { classifyAttempt } from '@holdfast/kit/llm/layers/breaker';
import { causeTraits } from '@holdfast/kit/resilience';
import type { AttemptHead, AttemptNext, AttemptResult, AttemptSink } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { mayHaveWorked } from '../estimate-usage.ts';
import type { AttemptJournal, AttemptRecord } from '../attempt-journal.ts';
import type { LatencyObserver } from '../routing/index.ts';
import type { TargetRequest } from '../target-request.ts';
import { announceFailure } from './announce-failure.ts';
import { noteRacedFailure } from './spent-targets.ts';

/** The target as records name it. */
export interface RecordedTarget {
  /** `provider/model` */
  readonly name: string;
  readonly provider: string;
  readonly kind: string;
  readonly model: string;
  /** Attempts of its route are raced: one that lost is written down in the moment in which it did, whenever its provider hears of it. */
  readonly mayLose: boolean;
}

/** Writes every request to a provider down in the journal of its call: repeated ones and losers of a race too. */
export function recordAttempt(target: RecordedTarget, clock: Clock) {
  return (next: AttemptNext<TargetRequest>): AttemptNext<TargetRequest> =>
    (request, sink) => {
      const attempt = new RecordedAttempt(target, clock, request, sink);
      return next(request, attempt).then(
        (result) => attempt.completed(result),
        (error: unknown) => attempt.failed(error),
      );
    };
}

class RecordedAttempt implements AttemptSink {
  readonly #target: RecordedTarget;
  readonly #clock: Clock;
  readonly #request: TargetRequest;
  readonly #journal: AttemptJournal;
  readonly #sink: AttemptSink;
  readonly #beganAt: number;
  #sent = false;
  #ended = false;
  /** Until the latency of this attempt is known. */
  #latency: LatencyObserver | undefined;

  constructor(target: RecordedTarget, clock: Clock, request: TargetRequest, sink: AttemptSink) {
    this.#target = target;
    this.#clock = clock;
    this.#request = request;
    this.#journal = request.journal;
    this.#sink = sink;
    this.#beganAt = clock.monotonic();
    const { journal } = request;
    if (journal.attemptsUnderWay === 0) {
      if (journal.attemptsMade > 0) journal.pausedMs += this.#beganAt - journal.attemptsEndedAt;
      journal.attemptsBeganAt = this.#beganAt;
    }
    journal.attemptsUnderWay += 1;
    journal.attemptsMade += 1;
    announceFailure(request);
    this.#isServing();
    this.#latency = request.latency;
    this.#latency?.started(this.#beganAt);
    if (target.mayLose) {
      request.cancellation.onCancel((reason) => {
        if (isHoldfastError(reason) && reason.code === 'hedge_lost') this.#lose(reason);
      });
    }
  }

  connected(): void {
    this.#sent = true;
    this.#isServing();
    this.#sink.connected();
  }

  pulse(): void {
    this.#sink.pulse();
  }

  head(head: AttemptHead): void {
    // What comes after the race is lost goes nowhere.
    if (this.#ended) return;
    this.#isServing();
    this.#answered();
    const journal = this.#journal;
    journal.waitedForHeadMs = journal.providerMs + journal.pausedMs + this.#clock.monotonic() - journal.attemptsBeganAt;
    this.#sink.head(head);
  }

  data(bytes: Buffer): boolean {
    return this.#sink.data(bytes);
  }

  drained(callback: () => void): void {
    this.#sink.drained(callback);
  }

  completed(result: AttemptResult): AttemptResult {
    if (this.#ended) return result;
    this.#isServing();
    this.#answered();
    this.#end('completed', null);
    // Of one that was raced with: no attempt began after it.
    if (this.#journal.failure) announceFailure(this.#request);
    return result;
  }

  failed(error: unknown): never {
    if (this.#ended) throw error;
    this.#notAnswered(error);
    const code = isHoldfastError(error) ? error.code : 'internal_error';
    const aborted = code === 'client_closed';
    this.#end(aborted ? 'aborted' : 'failed', code);
    if (!aborted) this.#journal.failure = { target: this.#target.name, error };
    if (this.#target.mayLose) noteRacedFailure(this.#journal, this.#target.name, error, this.#clock.monotonic());
    throw error;
  }

  #lose(reason: unknown): void {
    if (this.#ended) return;
    this.#notAnswered(reason);
    this.#end('cancelled', 'hedge_lost');
  }

  /** What the journal says of the call is said of the attempt that got furthest: where several run, of the one that answers. */
  #isServing(): void {
    if (this.#ended) return;
    const journal = this.#journal;
    journal.provider = this.#target.provider;
    journal.providerKind = this.#target.kind;
    journal.targetModel = this.#target.model;
    journal.sent = this.#sent;
  }

  #answered(): void {
    this.#latency?.answered(this.#beganAt);
    this.#latency = undefined;
  }

  /** A target that refuses our key does so in no time, and is to look no better for it. A stream that broke later had its latency. */
  #notAnswered(error: unknown): void {
    const latency = this.#latency;
    if (!latency) return;
    this.#latency = undefined;
    const cause = classifyAttempt(error);
    if (causeTraits[cause].breaker === 'failure' || cause === 'credentials') latency.failed(this.#beganAt);
    else latency.dropped(this.#beganAt);
  }

  #end(outcome: AttemptRecord['outcome'], code: ErrorCode | null): void {
    const journal = this.#journal;
    const now = this.#clock.monotonic();
    journal.attemptsUnderWay -= 1;
    // Of several that were stopped together, the call is settled by the last to end; the others, and losers of a race, come on top.
    const beside = outcome === 'cancelled' || journal.attemptsUnderWay > 0;
    if (!beside) this.#isServing();
    // Whatever ends the call from now on: of a request that the provider refused nothing is paid for.
    if (!beside && code !== null && !mayHaveWorked(code)) journal.sent = false;
    this.#ended = true;
    // One that failed by itself is paid for no more than one that was followed by another.
    const extra = beside && this.#sent && (outcome === 'cancelled' || outcome === 'aborted');
    if (journal.attemptsUnderWay === 0) {
      journal.providerMs += now - journal.attemptsBeganAt;
      journal.attemptsEndedAt = now;
    }
    journal.attempts.push({
      provider: this.#target.provider,
      model: this.#target.model,
      outcome,
      error_code: code,
      latency_ms: Math.round((now - this.#beganAt) * 1000) / 1000,
      ...(extra && { extra: { providerKind: this.#target.kind } }),
    });
  }
}
