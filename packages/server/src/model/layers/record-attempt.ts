import { isHoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { classifyAttempt } from '@holdfast/kit/llm/layers/breaker';
import { causeTraits } from '@holdfast/kit/resilience';
import type { RequestTrace } from '@holdfast/kit/events';
import {
  AttemptError,
  type AttemptHead,
  type AttemptNext,
  type AttemptResult,
  type AttemptSink,
  type PartialUse,
  type TracedAttempt,
} from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { mayHaveWorked } from '../estimate-usage.ts';
import { AnswerCopy } from '../answer-copy.ts';
import type { AttemptJournal } from '../attempt-journal.ts';
import { noteLayer } from '../call-tracing.ts';
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
  /** Gets the trace context of its attempts. */
  readonly isToldTrace: boolean;
  /** Where it is, for traces. */
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** Writes every request to a provider down in the journal of its call: repeated ones and losers of a race too. */
export function recordAttempt(target: RecordedTarget, clock: Clock) {
  return (next: AttemptNext<TargetRequest>): AttemptNext<TargetRequest> =>
    (request, sink) => {
      const attempt = new RecordedAttempt(target, clock, request, sink);
      const { tracing } = request.journal;
      const told =
        tracing !== undefined && target.isToldTrace ? { ...request, traceparent: attempt.traceparentOf(tracing.trace) } : request;
      return next(told, attempt).then(
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
  readonly #number: number;
  // What only a trace wants to know.
  #firstChunkAt: number | undefined;
  #spanId: string | undefined;
  #answer: AnswerCopy | undefined;

  constructor(target: RecordedTarget, clock: Clock, request: TargetRequest, sink: AttemptSink) {
    this.#target = target;
    this.#clock = clock;
    this.#request = request;
    this.#journal = request.journal;
    this.#sink = sink;
    this.#beganAt = clock.monotonic();
    const { journal } = request;
    if (journal.attemptsUnderWay === 0) {
      if (journal.attemptsMade > 0) {
        journal.pausedMs += this.#beganAt - journal.attemptsEndedAt;
        noteLayer(journal.tracing, 'pause', journal.attemptsEndedAt, this.#beganAt);
      } else if (journal.tracing) noteLayer(journal.tracing, 'wait', journal.tracing.routedAt, this.#beganAt);
      journal.attemptsBeganAt = this.#beganAt;
    }
    journal.attemptsUnderWay += 1;
    journal.attemptsMade += 1;
    this.#number = journal.attemptsMade;
    if (journal.tracing?.trace.wantsContent) this.#answer = new AnswerCopy();
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

  /** W3C `traceparent` of a span that is this attempt. */
  traceparentOf(trace: RequestTrace): string {
    this.#spanId = trace.newSpanId();
    return `00-${trace.traceId}-${this.#spanId}-${trace.sampled ? '01' : '00'}`;
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
    const now = this.#clock.monotonic();
    this.#firstChunkAt = now;
    journal.waitedForHeadMs = journal.providerMs + journal.pausedMs + now - journal.attemptsBeganAt;
    this.#sink.head(head);
  }

  data(bytes: Buffer): boolean {
    this.#answer?.add(bytes);
    return this.#sink.data(bytes);
  }

  drained(callback: () => void): void {
    this.#sink.drained(callback);
  }

  completed(result: AttemptResult): AttemptResult {
    if (this.#ended) return result;
    this.#isServing();
    this.#answered();
    this.#answer?.add(result.tail);
    this.#end('completed', null, result);
    // Of one that was raced with: no attempt began after it.
    if (this.#journal.failure) announceFailure(this.#request);
    return result;
  }

  failed(error: unknown): never {
    if (this.#ended) throw error;
    this.#notAnswered(error);
    const code = isHoldfastError(error) ? error.code : 'internal_error';
    const aborted = code === 'client_closed';
    this.#end(aborted ? 'aborted' : 'failed', code, error instanceof AttemptError ? error.partial : undefined);
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

  #end(outcome: TracedAttempt['outcome'], code: ErrorCode | null, use?: PartialUse | AttemptResult): void {
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
    if (journal.tracing) journal.tracing.attempts.push(this.#traced(outcome, code, now, use));
  }

  #traced(
    outcome: TracedAttempt['outcome'],
    code: ErrorCode | null,
    endedAt: number,
    use: PartialUse | AttemptResult | undefined,
  ): TracedAttempt {
    const { provider, kind, model, address, port } = this.#target;
    const whole = use !== undefined && 'tail' in use ? use : undefined;
    return {
      number: this.#number,
      provider,
      providerKind: kind,
      model,
      address,
      port,
      outcome,
      errorCode: code ?? undefined,
      beganAt: this.#beganAt,
      endedAt,
      firstChunkAt: this.#firstChunkAt,
      servedModel: use?.servedModel,
      responseId: whole?.responseId,
      finishReason: whole?.finishReason,
      usage: use?.usage,
      spanId: this.#spanId,
      answer: whole && this.#answer?.pieces,
    };
  }
}
