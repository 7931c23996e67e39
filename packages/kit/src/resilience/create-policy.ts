import { systemClock, systemRandom, type Clock, type Random } from '../time/index.ts';
import { createCircuitBreaker, type BreakerOptions, type CircuitBreaker } from './breaker/index.ts';
import { checkKeys, checkObject } from './check-options.ts';
import { classifyFailure } from './classify-failure.ts';
import {
  createAdaptiveConcurrency,
  createBulkhead,
  type AdaptiveConcurrency,
  type AdaptiveOptions,
  type Bulkhead,
  type BulkheadOptions,
} from './concurrency/index.ts';
import { deadline, markDeadline } from './deadline.ts';
import { createExecute, type Execute } from './execute.ts';
import type { FailureClassifier } from './failure-cause.ts';
import { hedge, type HedgeOptions } from './hedge/index.ts';
import { compose, type Policy } from './policy.ts';
import { httpRetryDefaults, llmRetryDefaults, retry, type RetryOptions } from './retry/index.ts';
import { timeout } from './timeout.ts';
import { wrapFunction, type AnyFunction, type WrapOptions, type Wrapped } from './wrap.ts';

/** What all parts of a policy share is given once, beside them. */
type Part<Options> = Omit<Options, 'name' | 'classify' | 'clock' | 'random'>;

export interface PolicyOptions {
  /** What it protects, such as `openai/gpt-4o`: in announcements, errors and the breaker. Default `default`. */
  readonly name?: string;
  /** The whole call with all its attempts and waits, in milliseconds. Default: none but the caller's. */
  readonly deadlineMs?: number;
  /** `http` (the default) and `llm` are the two sets of defaults; `false` is no retry. */
  readonly retry?: 'http' | 'llm' | Part<RetryOptions> | false;
  /** Off by default. */
  readonly hedge?: Part<HedgeOptions> | boolean;
  /** On by default. A breaker that exists already may be shared. */
  readonly breaker?: Part<BreakerOptions> | CircuitBreaker | boolean;
  /** Off by default. One that exists already may be shared. */
  readonly bulkhead?: Part<BulkheadOptions> | Bulkhead | boolean;
  /** Off by default. One that exists already may be shared. */
  readonly adaptive?: Part<AdaptiveOptions> | AdaptiveConcurrency | boolean;
  /** One attempt, in milliseconds. Default: none. */
  readonly timeoutMs?: number;
  /** Default `classifyFailure`. */
  readonly classify?: FailureClassifier;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Everything that guards the calls of one target. */
export interface ComposedPolicy {
  readonly name: string;
  /** As one behaviour, to be composed with others. */
  readonly policy: Policy;
  /** Runs some work: `policy.execute(({ signal }) => fetch(url, { signal }), { signal: request.signal })`. */
  readonly execute: Execute;
  /** A function with the same types that runs under it. */
  wrap<Fn extends AnyFunction>(fn: Fn, options?: WrapOptions<Fn>): Wrapped<Fn>;
  /** The names of its layers, from the outside in. */
  readonly layers: readonly PolicyLayer[];
  readonly breaker: CircuitBreaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly adaptive: AdaptiveConcurrency | undefined;
}

/**
 * The one order. Retry is outside the breaker, so that an open breaker ends the attempts at its target; a bulkhead is
 * innermost but for the limit of an attempt, so that a back-off holds no slot and a wait for a slot is no slow attempt.
 */
export const policyOrder = ['deadline', 'retry', 'hedge', 'breaker', 'bulkhead', 'adaptive', 'timeout'] as const;
export type PolicyLayer = (typeof policyOrder)[number];

const optionKeys = [
  ...policyOrder.filter((layer) => layer !== 'deadline' && layer !== 'timeout'),
  'deadlineMs',
  'timeoutMs',
  'name',
  'classify',
  'clock',
  'random',
];

export function createPolicy(options: PolicyOptions = {}): ComposedPolicy {
  checkKeys('createPolicy', options, optionKeys);
  const { name = 'default', clock = systemClock, random = systemRandom, classify = classifyFailure, deadlineMs, timeoutMs } = options;
  const common = { name, clock };
  const breaker = part('breaker', options.breaker ?? true, (given: Part<BreakerOptions>) =>
    createCircuitBreaker({ ...given, ...common, classify }),
  );
  const bulkhead = part('bulkhead', options.bulkhead ?? false, (given: Part<BulkheadOptions>) => createBulkhead({ ...given, ...common }));
  const adaptive = part('adaptive', options.adaptive ?? false, (given: Part<AdaptiveOptions>) =>
    createAdaptiveConcurrency({ ...given, ...common, classify }),
  );
  const retryOptions = readRetry(options.retry ?? 'http');
  const hedgeOptions =
    options.hedge === true ? {} : options.hedge ? checkObject('hedge', options.hedge, 'its options, true or false') : undefined;
  // With no limit of its own too: the caller may bring a deadline.
  const deadlineOptions = { ...common, ...(deadlineMs !== undefined && { deadlineMs }) };
  const layers: Record<PolicyLayer, Policy | undefined> = {
    deadline: timeoutMs === undefined ? deadline(deadlineOptions) : markDeadline(deadlineOptions),
    retry: retryOptions && retry({ ...retryOptions, ...common, random, classify }),
    hedge: hedgeOptions && hedge({ ...hedgeOptions, ...common }),
    breaker: breaker?.policy,
    bulkhead: bulkhead?.policy,
    adaptive: adaptive?.policy,
    timeout: timeoutMs === undefined ? undefined : timeout({ ...common, timeoutMs }),
  };
  const policy = compose(...policyOrder.flatMap((layer) => layers[layer] ?? []));
  const execute = createExecute(policy, timeoutMs !== undefined);
  return Object.freeze({
    name,
    policy,
    execute,
    wrap: <Fn extends AnyFunction>(fn: Fn, wrapOptions: WrapOptions<Fn> = {}) => wrapFunction(execute, fn, wrapOptions),
    layers: Object.freeze(policyOrder.filter((layer) => layers[layer] !== undefined)),
    breaker,
    bulkhead,
    adaptive,
  });
}

function readRetry(given: 'http' | 'llm' | Part<RetryOptions> | false): RetryOptions | undefined {
  if (given === false) return undefined;
  if (given === 'http') return httpRetryDefaults;
  if (given === 'llm') return llmRetryDefaults;
  return checkObject('retry', given, "'http', 'llm', its options or false");
}

/** Off, on with its defaults, one that exists already, or the options of a new one. */
function part<Options extends object, Made extends { readonly policy: Policy }>(
  option: string,
  given: Options | Made | boolean,
  make: (options: Options) => Made,
): Made | undefined {
  if (given === false) return undefined;
  if (given === true) return make({} as Options);
  checkObject(option, given, 'its options, one that exists, true or false');
  return 'policy' in given ? given : make(given);
}
