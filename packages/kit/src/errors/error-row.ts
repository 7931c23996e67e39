import type { ErrorCategory } from './categories.ts';

export interface ErrorRow {
  readonly category: ErrorCategory;
  /** Overrides the category's HTTP status. */
  readonly status?: number;
  /** Overrides the category's retry advice. */
  readonly retryable?: boolean;
  /** Overrides the category's log level: for what comes by the thousand and is told once by somebody else. */
  readonly logLevel?: 'info' | 'warn' | 'error';
  /** What the user reads: what happened and what to do next. Never a stack, a query, a path or an upstream's text. */
  readonly message: string;
  /** For the reference page: when it happens and how an operator finds the cause. */
  readonly help: string;
}
