import { createCircuitBreaker, type BreakerOptions, type CircuitBreaker } from './breaker/index.ts';
import type { CallContext } from './call-context.ts';
import { checkFunction, checkObject } from './check-options.ts';
import {
  createAdaptiveConcurrency,
  createBulkhead,
  type AdaptiveConcurrency,
  type AdaptiveOptions,
  type Bulkhead,
  type BulkheadOptions,
} from './concurrency/index.ts';
import { createPolicy, type ComposedPolicy, type PolicyOptions } from './create-policy.ts';
import { deadline, type DeadlineOptions } from './deadline.ts';
import { createExecute } from './execute.ts';
import { readFallbackOptions, runChain, type FallbackOptions } from './fallback.ts';
import { hedge, type HedgeOptions } from './hedge/index.ts';
import type { Policy } from './policy.ts';
import { retry, type RetryOptions } from './retry/index.ts';
import { timeout, type TimeoutOptions } from './timeout.ts';
import { named, wrapFunction, WrappedCall, type AnyFunction, type WrapOptions, type Wrapped } from './wrap.ts';

// One line around any function. Each function that is wrapped is a target of its own, with its own budget, breaker and
// slots, under its own name; where an existing breaker or bulkhead is handed in, those who share it are one target.

/** Tries again what may succeed when tried again. */
export function withRetry<Fn extends AnyFunction>(fn: Fn, options: RetryOptions & WrapOptions<Fn> = {}): Wrapped<Fn> {
  return wrapWith(fn, options, retry);
}

/** Keeps calls away while they fail. The breaker is at `breaker`. */
export function withCircuitBreaker<Fn extends AnyFunction>(
  fn: Fn,
  options: (BreakerOptions & WrapOptions<Fn>) | CircuitBreaker = {},
): Wrapped<Fn> & { readonly breaker: CircuitBreaker } {
  let breaker!: CircuitBreaker;
  const wrapped = wrapWith(fn, options, (own) => (breaker = 'policy' in own ? own : createCircuitBreaker(own)).policy);
  return Object.assign(wrapped, { breaker });
}

/** Cancels an attempt that takes longer than so many milliseconds. */
export function withTimeout<Fn extends AnyFunction>(fn: Fn, options: number | (TimeoutOptions & WrapOptions<Fn>)): Wrapped<Fn> {
  return wrapWith(fn, typeof options === 'number' ? { timeoutMs: options } : options, timeout);
}

/** Bounds a whole call, where `fn` has policies of its own inside; they see the deadline coming when they are handed it. */
export function withDeadline<Fn extends AnyFunction>(fn: Fn, options: number | (DeadlineOptions & WrapOptions<Fn>)): Wrapped<Fn> {
  return wrapWith(fn, typeof options === 'number' ? { deadlineMs: options } : options, deadline);
}

/** Sends a second request when the first is slow. Only for what may be done twice. */
export function withHedge<Fn extends AnyFunction>(fn: Fn, options: HedgeOptions & WrapOptions<Fn> = {}): Wrapped<Fn> {
  return wrapWith(fn, options, hedge);
}

/** Bounds how many run at the same time. The bulkhead is at `bulkhead`. */
export function withBulkhead<Fn extends AnyFunction>(
  fn: Fn,
  options: (BulkheadOptions & WrapOptions<Fn>) | Bulkhead = {},
): Wrapped<Fn> & { readonly bulkhead: Bulkhead } {
  let bulkhead!: Bulkhead;
  const wrapped = wrapWith(fn, options, (own) => (bulkhead = 'policy' in own ? own : createBulkhead(own)).policy);
  return Object.assign(wrapped, { bulkhead });
}

/** The same with a bound that is found out while it runs. It is at `adaptive`. */
export function withAdaptiveConcurrency<Fn extends AnyFunction>(
  fn: Fn,
  options: (AdaptiveOptions & WrapOptions<Fn>) | AdaptiveConcurrency = {},
): Wrapped<Fn> & { readonly adaptive: AdaptiveConcurrency } {
  let adaptive!: AdaptiveConcurrency;
  const wrapped = wrapWith(fn, options, (own) => (adaptive = 'policy' in own ? own : createAdaptiveConcurrency(own)).policy);
  return Object.assign(wrapped, { adaptive });
}

/** Where `fn` fails, the alternatives are called in order, with the same arguments. */
export function withFallback<Fn extends AnyFunction>(
  fn: Fn,
  alternatives: readonly ((...args: Parameters<Fn>) => Awaited<ReturnType<Fn>> | PromiseLike<Awaited<ReturnType<Fn>>>)[],
  options: FallbackOptions & WrapOptions<Fn> = {},
): Wrapped<Fn> {
  checkFunction('what is wrapped', fn);
  const { passSignal, ...own } = options;
  const settings = readFallbackOptions(alternatives, { ...nameOf(fn), ...own });
  const functions: readonly AnyFunction[] = [fn, ...alternatives];
  // It adds nothing to the call but the caller's signal: what is tried has policies of its own.
  const execute = createExecute((next) => next);
  return named(fn, function withAlternatives(this: unknown, ...args: unknown[]): Promise<unknown> {
    const call = new WrappedCall(this, args, passSignal);
    const chain = functions.map((each) => async (context: CallContext) => call.run(each, context));
    return execute((context) => runChain(settings, chain, context), call.options);
  });
}

/** All that `createPolicy` has, in its order. The policy is at `policy`. */
export function withPolicy<Fn extends AnyFunction>(
  fn: Fn,
  options: (PolicyOptions & WrapOptions<Fn>) | ComposedPolicy = {},
): Wrapped<Fn> & { readonly policy: ComposedPolicy } {
  checkFunction('what is wrapped', fn);
  if ('execute' in options) return Object.assign(options.wrap(fn), { policy: options });
  const { passSignal, ...own } = options;
  const policy = createPolicy({ ...nameOf(fn), ...own });
  return Object.assign(policy.wrap(fn, { passSignal }), { policy });
}

function wrapWith<Fn extends AnyFunction, Options extends object>(
  fn: Fn,
  options: Options & WrapOptions<Fn>,
  make: (options: Options) => Policy,
): Wrapped<Fn> {
  checkFunction('what is wrapped', fn);
  checkObject('the options of a wrapper', options, 'an object');
  if ('policy' in options) return wrapFunction(createExecute(make(options)), fn, {});
  const { passSignal, ...own } = options;
  return wrapFunction(createExecute(make({ ...nameOf(fn), ...own } as unknown as Options)), fn, { passSignal });
}

function nameOf(fn: AnyFunction): { readonly name?: string } {
  return fn.name === '' ? {} : { name: fn.name };
}
