import { systemClock, systemRandom, type Clock, type Random } from '../../time/index.ts';
import { checkFunction, checkKeys, checkNumber, checkOneOf, withDefaults } from '../check-options.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { FailureClassifier } from '../failure-cause.ts';
import { maxTimerMs } from '../timeout.ts';
import { createRetryBudget, retryBudgetDefaults, type RetryBudget } from './retry-budget.ts';

export interface RetryNumbers {
  /** Attempts in all, the first one included. Default 4 for HTTP, 3 for model calls; 1 is no retry. */
  readonly attempts: number;
  /** `exponential`: the delay is multiplied by `factor` each time; `linear`: grows by `firstDelayMs`; `immediate`: none. */
  readonly backoff: 'exponential' | 'linear' | 'immediate';
  /** Default 100 for HTTP, 1,000 for model calls. */
  readonly firstDelayMs: number;
  /** Of exponential back-off. Default 2. */
  readonly factor: number;
  /** No delay is longer, unless the target asks for more. Default 5,000 for HTTP, 30,000 for model calls. */
  readonly maxDelayMs: number;
  /** `full`: anything between 0 and the delay, so that those who failed together do not come back together. Default `full`. */
  readonly jitter: 'full' | 'none';
}

export interface RetryOptions extends Partial<RetryNumbers> {
  /** For announcements. Default `default`. */
  readonly name?: string;
  /** A target that asks for a longer wait is given up at once. Default Infinity: the deadline of the call is the limit. */
  readonly maxRetryAfterMs?: number;
  /** Retries in a window, as a share of its calls. Default 20; Infinity for no budget. */
  readonly budgetPercent?: number;
  /** Retries that a window has in any case, so that a quiet target has some. Default 3. */
  readonly budgetMinPerWindow?: number;
  /** Default 10,000. */
  readonly budgetWindowMs?: number;
  /** One that several policies of the same target share, instead of one of its own. */
  readonly budget?: RetryBudget;
  /** Default `classifyFailure`. */
  readonly classify?: FailureClassifier;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Four attempts, from 100 ms, doubling, at most 5 s apart. */
export const httpRetryDefaults: RetryNumbers = Object.freeze({
  attempts: 4,
  backoff: 'exponential',
  firstDelayMs: 100,
  factor: 2,
  maxDelayMs: 5_000,
  jitter: 'full',
});

/** Three attempts, from 1 s, doubling, at most 30 s apart: models are slow, and busy for longer. */
export const llmRetryDefaults: RetryNumbers = Object.freeze({ ...httpRetryDefaults, attempts: 3, firstDelayMs: 1_000, maxDelayMs: 30_000 });

export interface RetrySettings extends RetryNumbers {
  readonly name: string;
  readonly maxRetryAfterMs: number;
  readonly budget: RetryBudget;
  readonly classify: FailureClassifier;
  readonly clock: Clock;
  readonly random: Random;
}

const budgetKeys = ['budgetPercent', 'budgetMinPerWindow', 'budgetWindowMs'] as const;
const otherKeys = ['name', 'maxRetryAfterMs', 'budget', 'classify', 'clock', 'random'] as const;

export function readRetryOptions(options: RetryOptions): RetrySettings {
  checkKeys('retry', options, [...Object.keys(httpRetryDefaults), ...budgetKeys, ...otherKeys]);
  const { name = 'default', clock = systemClock, random = systemRandom, classify = classifyFailure } = options;
  const { maxRetryAfterMs = Number.POSITIVE_INFINITY } = options;
  const { attempts, backoff, firstDelayMs, factor, maxDelayMs, jitter } = withDefaults(httpRetryDefaults, options);
  const budget =
    options.budget ??
    createRetryBudget({
      percent: options.budgetPercent ?? retryBudgetDefaults.percent,
      minPerWindow: options.budgetMinPerWindow ?? retryBudgetDefaults.minPerWindow,
      windowMs: options.budgetWindowMs ?? retryBudgetDefaults.windowMs,
      clock,
    });
  return Object.freeze({
    name,
    clock,
    random,
    budget,
    maxRetryAfterMs: checkNumber('retry.maxRetryAfterMs', maxRetryAfterMs, { unlimited: true }),
    classify: checkFunction('retry.classify', classify),
    attempts: checkNumber('retry.attempts', attempts, { min: 1, whole: true }),
    backoff: checkOneOf('retry.backoff', backoff, ['exponential', 'linear', 'immediate']),
    firstDelayMs: checkNumber('retry.firstDelayMs', firstDelayMs, { max: maxTimerMs }),
    factor: checkNumber('retry.factor', factor, { min: 1 }),
    maxDelayMs: checkNumber('retry.maxDelayMs', maxDelayMs, { max: maxTimerMs }),
    jitter: checkOneOf('retry.jitter', jitter, ['full', 'none']),
  });
}
