import type { Clock } from '../../time/index.ts';
import type { JudgedKind } from './kinds.ts';

export interface PerformanceTrackerOptions {
  readonly clock: Clock;
  /** A new id for each run of the program, by which windows of several are told apart. */
  readonly createId: () => string;
  /** Milliseconds from which on something is slow, by kind; `Infinity` turns the judgement off. */
  readonly slowMs?: Readonly<Partial<Record<JudgedKind, number>>>;
  /** Whether a model name may stand by itself; those that may not are counted as `other`. Default: none may. */
  readonly isKnownModel?: (name: string) => boolean;
  /** Minutes that are remembered. Default 60. What could not be stored within them is lost. */
  readonly historyMinutes?: number;
  /** Series of each kind in each minute; what is new beyond them is `other`. Default 200. */
  readonly maxSeries?: number;
  /** Users, organizations and keys each, in each minute; what is new beyond them is `other`. Default 500. */
  readonly maxUsers?: number;
}

export const performanceDefaults = Object.freeze({
  slowMs: Object.freeze({ request: 2_000, model_call: 60_000, database: 500, cache: 100, operation: 1_000 }) satisfies Readonly<
    Record<JudgedKind, number>
  >,
  historyMinutes: 60,
  maxSeries: 200,
  maxUsers: 500,
});
