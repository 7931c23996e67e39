import type { Cancellation } from '../time/index.ts';
import { nobody } from './nobody.ts';

/** What all attempts of one call share. */
class SharedCall {
  readonly work: (context: CallContext) => unknown;
  committedBranch: number | undefined = undefined;
  onCommit: ((branch: number) => void) | undefined = undefined;

  constructor(work: (context: CallContext) => unknown) {
    this.work = work;
  }
}

function noWork(): never {
  throw new TypeError('this context was made without work');
}

/**
 * What a policy hands to what it wraps: one small object, derived anew where an attempt gets a number, a deadline or a
 * cancellation of its own.
 */
export class CallContext {
  /** Cancelled when the caller gave up, a limit passed or a race was lost. The reason is what the call rejects with. */
  readonly cancellation: Cancellation;
  /** When the whole call has to be over, in milliseconds on the clock's monotonic scale; Infinity when it need not be. */
  readonly deadlineAt: number;
  /** Which try this is, counted from 1. */
  readonly attempt: number;
  /** 0, or the number of the racer when `hedge` races several. */
  readonly branch: number;
  /**
   * Waiting in a queue of ours: whatever ends the call now says nothing about the target. Set by those who queue, on
   * the context that they were given.
   */
  queued: boolean;
  readonly #call: SharedCall;

  constructor(call: SharedCall, cancellation: Cancellation, deadlineAt: number, attempt: number, branch: number) {
    this.#call = call;
    this.cancellation = cancellation;
    this.deadlineAt = deadlineAt;
    this.attempt = attempt;
    this.branch = branch;
    this.queued = false;
  }

  /** The cancellation as an AbortSignal, made on first use: code that takes none does not pay for one. */
  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  /** Whether somebody outside has a part of the answer. */
  get committed(): boolean {
    return this.#call.committedBranch !== undefined;
  }

  /**
   * MUST be called before the first part of an answer leaves for whoever asked. From then on there is no retry, no hedge
   * and no fallback, since that part cannot be taken back. False when another racer was first: then nothing may be sent.
   */
  commit(): boolean {
    const call = this.#call;
    if (call.committedBranch === undefined) {
      call.committedBranch = this.branch;
      call.onCommit?.(this.branch);
    }
    return call.committedBranch === this.branch;
  }

  /** What the call is about; run by the innermost layer of a policy that was composed once and serves every call. */
  work(): unknown {
    return this.#call.work(this);
  }

  /** One listener at a time: races do not nest. */
  onCommit(listener: ((branch: number) => void) | undefined): void {
    this.#call.onCommit = listener;
  }

  withAttempt(attempt: number): CallContext {
    return new CallContext(this.#call, this.cancellation, this.deadlineAt, attempt, this.branch);
  }

  withCancellation(cancellation: Cancellation, deadlineAt: number = this.deadlineAt, branch: number = this.branch): CallContext {
    return new CallContext(this.#call, cancellation, deadlineAt, this.attempt, branch);
  }
}

export interface CallContextOptions {
  /** Default: one that nobody cancels. */
  readonly cancellation?: Cancellation | undefined;
  /** In milliseconds on the monotonic scale of the clock that the policies use. Default: none. */
  readonly deadlineAt?: number | undefined;
}

/** The context of a call that enters its first policy, for those who apply policies by hand. */
export function createCallContext(options: CallContextOptions = {}): CallContext {
  return beginCall(noWork, options.cancellation, options.deadlineAt);
}

export function beginCall(
  work: (context: CallContext) => unknown,
  cancellation: Cancellation = nobody,
  deadlineAt: number = Number.POSITIVE_INFINITY,
  attempt = 1,
  branch = 0,
): CallContext {
  return new CallContext(new SharedCall(work), cancellation, deadlineAt, attempt, branch);
}
