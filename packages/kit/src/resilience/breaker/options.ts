import { systemClock, type Clock } from '../../time/index.ts';
import { checkFunction, checkKeys, checkNumber, checkOneOf, withDefaults } from '../check-options.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { FailureClassifier } from '../failure-cause.ts';
import { createLocalBreakerStore } from './drivers/index.ts';
import type { BreakerStore } from './store.ts';

export interface BreakerNumbers {
  /** `consecutive`: opens after `threshold` failures in a row. `ratio`: after `threshold` in a window of which `ratio` failed. Default `consecutive`. */
  readonly mode: 'consecutive' | 'ratio';
  /** Default 5. */
  readonly threshold: number;
  /** Of mode `ratio`: failures as a share of the calls of the window, above 0 and up to 1. Default 0.5. */
  readonly ratio: number;
  /** Of mode `ratio`. Default 30,000. */
  readonly windowMs: number;
  /** How long it stays open before one call may probe. Longer when the target asked for it with `Retry-After`. Default 60,000. */
  readonly recoveryMs: number;
  /** A target that asks for more than this is probed after it all the same. Default 3,600,000. */
  readonly maxRecoveryMs: number;
  /** A probe that has not ended by then no longer keeps others from probing. Default 60,000. */
  readonly probeLeaseMs: number;
}

export interface BreakerOptions extends Partial<BreakerNumbers> {
  /** What it protects, such as `openai/gpt-4o`: instances share the state of breakers of one name. Default `default`. */
  readonly name?: string;
  /** Where instances share states. Default: nowhere. */
  readonly store?: BreakerStore;
  /** Default `classifyFailure`. */
  readonly classify?: FailureClassifier;
  readonly clock?: Clock;
}

export const breakerDefaults: BreakerNumbers = Object.freeze({
  mode: 'consecutive',
  threshold: 5,
  ratio: 0.5,
  windowMs: 30_000,
  recoveryMs: 60_000,
  maxRecoveryMs: 3_600_000,
  probeLeaseMs: 60_000,
});

export interface BreakerSettings extends BreakerNumbers {
  readonly name: string;
  readonly store: BreakerStore;
  readonly classify: FailureClassifier;
  readonly clock: Clock;
}

const otherKeys = ['name', 'store', 'classify', 'clock'];

export function readBreakerOptions(options: BreakerOptions): BreakerSettings {
  checkKeys('breaker', options, [...Object.keys(breakerDefaults), ...otherKeys]);
  const { name = 'default', clock = systemClock, classify = classifyFailure } = options;
  const numbers = withDefaults(breakerDefaults, options);
  const ratio = checkNumber('breaker.ratio', numbers.ratio, { min: Number.MIN_VALUE, max: 1 });
  return Object.freeze({
    name,
    clock,
    store: options.store ?? createLocalBreakerStore({ clock }),
    classify: checkFunction('breaker.classify', classify),
    mode: checkOneOf('breaker.mode', numbers.mode, ['consecutive', 'ratio']),
    threshold: checkNumber('breaker.threshold', numbers.threshold, { min: 1, whole: true }),
    ratio,
    windowMs: checkNumber('breaker.windowMs', numbers.windowMs, { min: 10 }),
    recoveryMs: checkNumber('breaker.recoveryMs', numbers.recoveryMs),
    maxRecoveryMs: checkNumber('breaker.maxRecoveryMs', numbers.maxRecoveryMs, { unlimited: true }),
    probeLeaseMs: checkNumber('breaker.probeLeaseMs', numbers.probeLeaseMs, { min: 1 }),
  });
}
