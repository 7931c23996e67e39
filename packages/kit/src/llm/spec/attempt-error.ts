import { HoldfastError, type ErrorCode, type HoldfastErrorOptions } from '../../errors/index.ts';
import type { PartialUse } from './attempt.ts';

export interface AttemptErrorOptions extends HoldfastErrorOptions {
  /** What was used before it failed. */
  readonly partial?: PartialUse;
  /** The status that the provider answered with, when it answered. */
  readonly upstreamStatus?: number;
  /** The credential was refused, and the provider has another that it has not seen refused. Default false. */
  readonly otherCredential?: boolean;
  /** The target had no fair chance, so that it says nothing about its health. Default false. */
  readonly blameless?: boolean;
}

/** An attempt that failed: a HoldfastError that also knows what had been used by then. */
export class AttemptError extends HoldfastError {
  readonly partial: PartialUse | undefined;
  readonly upstreamStatus: number | undefined;
  /** Made again at once, the attempt would go out with another credential. */
  readonly otherCredential: boolean;
  readonly blameless: boolean;

  constructor(code: ErrorCode, options: AttemptErrorOptions = {}) {
    super(code, options);
    this.partial = options.partial;
    this.upstreamStatus = options.upstreamStatus;
    this.otherCredential = options.otherCredential ?? false;
    this.blameless = options.blameless ?? false;
  }
}
