import { breakerDefaults, bulkheadDefaults, hedgeDefaults, llmRetryDefaults, retryBudgetDefaults } from '@holdfast/kit/resilience';
import type { Field } from '../fields.ts';
import { choice, decimal, flag, integer } from '../value-types.ts';
import type {
  BreakerConfiguration,
  BulkheadConfiguration,
  HedgeConfiguration,
  RetryConfiguration,
  StrategyConfiguration,
} from './model-configuration.ts';

/** The fields of one group of a model's settings, each with its default: what the file leaves out is in force all the same. */
export type GroupFields<Group extends object> = {
  readonly [Name in keyof Group]-?: Field<Exclude<Group[Name], undefined>> & { readonly default: Group[Name] };
};

const milliseconds = integer(1, 86_400_000);

function field<Value, Default extends Value | undefined>(type: Field<Value>['type'], value: Default, description: string) {
  return { type, default: value, defaultText: value === undefined ? 'off' : String(value), description };
}

export const retryFields: GroupFields<RetryConfiguration> = {
  attempts: field(integer(1, 10), llmRetryDefaults.attempts, 'Tries at one target for one call, the first one included. 1: no retry.'),
  firstDelayMs: field(
    integer(0, 86_400_000),
    llmRetryDefaults.firstDelayMs,
    'Milliseconds before the second try; what the target asks for with `Retry-After` is waited for at least.',
  ),
  factor: field(decimal(1, 100), llmRetryDefaults.factor, 'By which the delay grows with each try.'),
  maxDelayMs: field(
    milliseconds,
    llmRetryDefaults.maxDelayMs,
    'No delay is longer, unless the target asks for more. With several targets, one that asks for more is left for the next.',
  ),
  jitter: field(
    choice(['full', 'none']),
    llmRetryDefaults.jitter,
    '`full`: anything from 0 to the delay, so that calls that failed together do not come back together.',
  ),
  budgetPercent: field(
    decimal(0, 1000),
    retryBudgetDefaults.percent,
    `Retries of a target in ${retryBudgetDefaults.windowMs / 1000} s as a share of its calls; ${retryBudgetDefaults.minPerWindow} are always allowed. Of the target: every model that names it says the same.`,
  ),
};

export const breakerFields: GroupFields<BreakerConfiguration> = {
  enabled: field(
    flag,
    true,
    'A circuit breaker for each target. All of this group is of the target: every model that names it says the same.',
  ),
  mode: field(
    choice(['consecutive', 'ratio']),
    breakerDefaults.mode,
    '`consecutive`: opens after `threshold` failures in a row. `ratio`: after `threshold` failures in `windowMs` that are at least `ratio` of its calls.',
  ),
  threshold: field(integer(1, 1_000_000), breakerDefaults.threshold, 'Failures that open it.'),
  ratio: field(decimal(0.01, 1), breakerDefaults.ratio, 'Of mode `ratio`: failures as a share of the calls.'),
  windowMs: field(integer(1_000, 3_600_000), breakerDefaults.windowMs, 'Of mode `ratio`: milliseconds that are looked at.'),
  recoveryMs: field(
    milliseconds,
    breakerDefaults.recoveryMs,
    'Milliseconds before one call may try whether the target is well again; longer when the target asked for it.',
  ),
};

export const bulkheadFields: GroupFields<BulkheadConfiguration> = {
  maxConcurrent: field(
    integer(1, 1_000_000),
    undefined,
    'Attempts under way at a target at the same time, streams to their end. All of this group is of the target: every model that names it says the same.',
  ),
  maxQueued: field(
    integer(0, 1_000_000),
    bulkheadDefaults.maxQueued,
    'Attempts that wait for their turn; beyond it they go to the next target, or are refused.',
  ),
  maxQueueMs: field(milliseconds, 30_000, 'Milliseconds that one of them waits at most.'),
};

export const hedgeFields: GroupFields<HedgeConfiguration> = {
  enabled: field(
    flag,
    false,
    'A second attempt, at the next target, for a call whose first event (or plain answer) is late. The first one there is the answer, the other is cancelled; both are paid for.',
  ),
  afterPercentile: field(
    decimal(1, 100),
    hedgeDefaults.afterPercentile,
    `Late is what takes longer than this percentile of the target's last ${hedgeDefaults.sampleCount} answers; nothing is before it has given ${hedgeDefaults.minSamples}.`,
  ),
  maxExtraPercent: field(decimal(0.01, 100), hedgeDefaults.maxExtraPercent, 'Second attempts as a share of the calls, never exceeded.'),
};

export const strategyField: Field<StrategyConfiguration> & { readonly default: StrategyConfiguration } = field(
  choice(['fallback', 'weighted', 'latency', 'cost']),
  'fallback',
  'Which target a call asks first: `fallback` the first of the list, `weighted` one drawn by `weight`, `latency` the one that answers soonest, `cost` the cheapest for this call. The others follow where it fails.',
);

/** 0 sends each piece as it comes. */
export const holdBackField: Field<number> & { readonly default: number } = {
  type: integer(0, 60_000),
  default: 0,
  defaultText: '0',
  description:
    'Milliseconds (64 KiB at most) for which the beginning of a stream is kept back, so that one that breaks off early is begun again unseen. The client gets its first token that much later.',
};

export const weightField: Field<number> & { readonly default: number } = {
  type: decimal(0.001, 1_000_000),
  default: 1,
  defaultText: '1',
  description: 'Of strategy `weighted`: the share of this target among the others.',
};
