import { HoldfastError, type ErrorCode, type HoldfastErrorOptions } from '../../errors/index.ts';
import type { PartialUse } from './attempt.ts';

export interface AttemptErrorOptions extends HoldfastErrorOptions {
  /** What was used before it failed. */
  readonly partial?: PartialUse;
  /** The status that the provider answered with, when it answered. */
  readonly upstreamStatus?: number;
}

/** An attempt that failed: a HoldfastError that also knows what had been used by then. */
export class AttemptError extends HoldfastError {
  readonly partial: PartialUse | undefined;
  readonly upstreamStatus: number | undefined;

  constructor(code: ErrorCode, options: AttemptErrorOptions = {}) {
    super(code, options);
    this.partial = options.partial;
    this.upstreamStatus = options.upstreamStatus;
  }
}
