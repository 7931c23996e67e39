export { concurrency, concurrencyDefaults, type ConcurrencyOptions } from './concurrency-policy.ts';
export { gcra, gcraDefaults, type GcraOptions } from './gcra-policy.ts';
export type { ConcurrencyPolicy, GcraPolicy, LimitPolicy, LimitUnit, PolicyBasics, WindowPolicy } from './policy.ts';
export { slidingWindow, windowDefaults, type WindowOptions } from './window-policy.ts';
