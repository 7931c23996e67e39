import { HoldfastError } from '../../../errors/index.ts';
import { causeTraits, classifyFailure, hedgeFinished, hedgeStarted, type HedgeTrigger } from '../../../resilience/index.ts';
import { Cancellation, type Clock, type Timer } from '../../../time/index.ts';
import type { AttemptHead, AttemptRequest, AttemptResult, AttemptSink } from '../../spec/index.ts';

type Next<Request extends AttemptRequest> = (request: Request, sink: AttemptSink) => Promise<AttemptResult>;

export interface AttemptRaceOptions<Request extends AttemptRequest> {
  readonly trigger: HedgeTrigger;
  readonly clock: Clock;
  readonly name: string;
  readonly next: Next<Request>;
  readonly spareOf: (request: Request) => Next<Request> | undefined;
  readonly request: Request;
  readonly sink: AttemptSink;
  readonly resolve: (result: AttemptResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One call: one or two attempts, one timer, one answer. Unlike the policy `hedge` it does not end before its attempts have
 * when it is cancelled: their errors say what had been used by then.
 */
export class AttemptRace<Request extends AttemptRequest> {
  readonly #options: AttemptRaceOptions<Request>;
  readonly #startedAt: number;
  readonly #first: Racer<Request>;
  #second: Racer<Request> | undefined;
  #winner: Racer<Request> | undefined;
  #running = 0;
  /** Of the first and of the second. */
  readonly #failures: [unknown, unknown] = [undefined, undefined];
  #timer: Timer | undefined;
  #sameTarget = false;
  #connected = false;
  #stopListening: (() => void) | undefined;
  #over = false;

  constructor(options: AttemptRaceOptions<Request>) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    this.#first = new Racer(this);
  }

  begin(): void {
    const { trigger, clock, request, next } = this.#options;
    this.#stopListening = request.cancellation.onCancel((reason) => this.#cancel(reason));
    const dueMs = trigger.begin();
    // A second attempt that has no time to answer is only paid for.
    if (dueMs !== undefined && this.#startedAt + dueMs < (request.deadlineAt ?? Number.POSITIVE_INFINITY)) {
      this.#timer = clock.setTimeout(() => this.#hedge(dueMs), dueMs);
    }
    this.#run(this.#first, next);
  }

  get sink(): AttemptSink {
    return this.#options.sink;
  }

  connected(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.sink.connected();
  }

  /** Whether the one whose first event is there is the first to have one: from then on it is the only one. */
  wins(racer: Racer<Request>): boolean {
    if (this.#winner === undefined && !this.#over) {
      this.#winner = racer;
      this.#timer?.cancel();
      // Of the call, also when the second won: its own short wait alone would make every percentile, and so the delay, shrink.
      this.#options.trigger.record(this.#options.clock.monotonic() - this.#startedAt);
      this.#loserOf(racer)?.cancellation.cancel(new HoldfastError('hedge_lost'));
      this.#announce();
    }
    return this.#winner === racer;
  }

  #hedge(afterMs: number): void {
    this.#timer = undefined;
    const { trigger, next, spareOf, request, name } = this.#options;
    const spare = spareOf(request);
    if (spare === undefined || !trigger.tryTake()) return;
    this.#sameTarget = spare === next;
    if (hedgeStarted.hasSubscribers) hedgeStarted.publish({ name, afterMs });
    this.#second = new Racer(this);
    this.#run(this.#second, spare);
  }

  #run(racer: Racer<Request>, attempt: Next<Request>): void {
    this.#running += 1;
    start(attempt, { ...this.#options.request, cancellation: racer.cancellation, branch: racer === this.#first ? 0 : 1 }, racer).then(
      (result) => this.#succeeded(racer, result),
      (error: unknown) => this.#failed(racer, error),
    );
  }

  #succeeded(racer: Racer<Request>, result: AttemptResult): void {
    if (!this.wins(racer)) return;
    this.#close();
    this.#options.resolve(result);
  }

  #failed(racer: Racer<Request>, error: unknown): void {
    this.#running -= 1;
    if (this.#over) return;
    if (this.#winner !== undefined) {
      // A loser ends as it likes.
      if (this.#winner === racer) this.#fail(error);
      return;
    }
    const cause = classifyFailure(error);
    // What is wrong with the request is wrong at the other target too. A cancellation reaches both, and both are waited for.
    const firm = cause !== 'cancelled' && !causeTraits[cause].mayTryNextTarget;
    this.#failures[racer === this.#first ? 0 : 1] = error;
    if (!firm && this.#running > 0) return;
    this.#fail(firm ? error : this.#failureToTell());
    if (firm) this.#loserOf(racer)?.cancellation.cancel(new HoldfastError('hedge_lost'));
    this.#announce();
  }

  /**
   * That of the first: it is its target that may be tried again. Where both went to one target, that which asks for the longer
   * wait, since both have to be heeded; that there was no room for the second is no word of the target.
   */
  #failureToTell(): unknown {
    const [first, second] = this.#failures;
    const heeded = this.#sameTarget && classifyFailure(second) !== 'refused';
    return heeded && retryAfterOf(second) > retryAfterOf(first) ? second : first;
  }

  #loserOf(racer: Racer<Request>): Racer<Request> | undefined {
    return racer === this.#first ? this.#second : this.#first;
  }

  #fail(error: unknown): void {
    this.#close();
    this.#options.reject(error);
  }

  #cancel(reason: unknown): void {
    this.#timer?.cancel();
    this.#first.cancellation.cancel(reason);
    this.#second?.cancellation.cancel(reason);
  }

  #close(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#stopListening?.();
  }

  #announce(): void {
    if (this.#second === undefined || !hedgeFinished.hasSubscribers) return;
    const winner = this.#winner === undefined ? undefined : this.#winner === this.#first ? 'first' : 'second';
    hedgeFinished.publish({ name: this.#options.name, winner });
  }
}

/** One of the attempts: its own cancellation, and the sink that lets nothing of it through unless it has won. */
class Racer<Request extends AttemptRequest> implements AttemptSink {
  readonly cancellation = new Cancellation();
  readonly #race: AttemptRace<Request>;
  #won = false;

  constructor(race: AttemptRace<Request>) {
    this.#race = race;
  }

  connected(): void {
    this.#race.connected();
  }

  pulse(): void {
    if (this.#won) this.#race.sink.pulse();
  }

  head(head: AttemptHead): void {
    this.#won = this.#race.wins(this);
    if (this.#won) this.#race.sink.head(head);
  }

  /** Of the loser, "the reader is behind" for ever: what it still reads nobody gets. */
  data(bytes: Buffer): boolean {
    return this.#won && this.#race.sink.data(bytes);
  }

  drained(callback: () => void): void {
    if (this.#won) this.#race.sink.drained(callback);
  }
}

/** What is thrown at once is a rejection too: in a timer it would end the process. */
function start<Request extends AttemptRequest>(attempt: Next<Request>, request: Request, sink: AttemptSink): Promise<AttemptResult> {
  try {
    return attempt(request, sink);
  } catch (error) {
    return Promise.reject(error);
  }
}

function retryAfterOf(error: unknown): number {
  return (error as Partial<HoldfastError> | undefined)?.retryAfterSeconds ?? 0;
}
