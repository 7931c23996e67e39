import type { ErrorCategory } from '../../errors/index.ts';
import type { Clock } from '../../time/index.ts';

export interface SentryOptions {
  /** Of the project: `https://<key>@<host>/<project>`. */
  readonly dsn: string;
  /** Such as `production`. */
  readonly environment: string;
  /** Such as `holdfast@1.2.3`. */
  readonly release: string;
  /** Share of the errors that are sent, from 0 to 1. Default 1. */
  readonly sampleRate?: number;
  /** Of errors of requests, those of which kind are told. Default `internal`: what should not have happened. */
  readonly categories?: readonly ErrorCategory[];
  /** What a person, or else a key, is called in reports: a pseudonym, never an address of any kind. Undefined names nobody. Default: nobody. */
  readonly pseudonymOf?: (id: string) => string | undefined;
  /** Errors a minute at most; more are dropped and counted: a database that is away fails every request. Default 60. */
  readonly maxPerMinute?: number;
  /** What one report may take to be sent, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** Told what became of each error, for metrics. MUST NOT throw. */
  readonly onReport?: (outcome: 'reported' | 'dropped') => void;
  readonly clock?: Clock;
}

export const sentryDefaults = Object.freeze({
  sampleRate: 1,
  categories: Object.freeze(['internal']) as readonly ErrorCategory[],
  maxPerMinute: 60,
  timeoutMs: 5_000,
});
