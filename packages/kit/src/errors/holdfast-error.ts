import type { ErrorCategory } from './categories.ts';
import { errorTraits, type ErrorCode, type ErrorTraits } from './table.ts';

export interface HoldfastErrorOptions {
  /** For the log only: what exactly happened. May name hosts, paths and queries; never leaves the process. */
  readonly detail?: string;
  /** For the user: structured and safe to show, such as the fields at fault. */
  readonly details?: unknown;
  /** Lower bound of the wait before another try, in seconds. */
  readonly retryAfterSeconds?: number;
  /** Overrides the table's advice: false where all that could be tried has been, so that clients do not multiply it. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** Marks our errors across copies of this module (two installed versions of the kit), where `instanceof` fails. */
const mark = Symbol.for('holdfast.error');

/**
 * The one error type. `message` is the technical detail and goes to the log; what a user may read is `publicMessage`,
 * which comes from the error table and nowhere else.
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly details: unknown;
  readonly retryAfterSeconds: number | undefined;
  readonly #retryable: boolean | undefined;
  readonly [mark] = true;

  constructor(code: ErrorCode, options: HoldfastErrorOptions = {}) {
    super(options.detail ?? errorTraits(code).message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.#retryable = options.retryable;
  }

  get traits(): ErrorTraits {
    return errorTraits(this.code);
  }
  get category(): ErrorCategory {
    return this.traits.category;
  }
  get status(): number {
    return this.traits.status;
  }
  get retryable(): boolean {
    return this.#retryable ?? this.traits.retryable;
  }
  get publicMessage(): string {
    return this.traits.message;
  }
}

export function isHoldfastError(value: unknown): value is HoldfastError {
  return typeof value === 'object' && value !== null && mark in value;
}

/** Whatever was thrown as one of ours: foreign throws become `internal_error` and keep their cause. */
export function toHoldfastError(thrown: unknown): HoldfastError {
  if (isHoldfastError(thrown)) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new HoldfastError('internal_error', { detail, cause: thrown });
}
