import { systemClock, type Clock } from '../../time/index.ts';
import { checkKeys, checkNumber, withDefaults } from '../check-options.ts';
import type { Policy } from '../policy.ts';
import { maxTimerMs } from '../timeout.ts';
import { Slots } from './slots.ts';

export interface BulkheadNumbers {
  /** Calls under way at the same time. Default 100. */
  readonly maxConcurrent: number;
  /** Calls that wait for a slot, first come, first served; beyond it they are refused. Default 100; 0 for no queue. */
  readonly maxQueued: number;
  /** Longest wait in the queue, in milliseconds. Default Infinity: the call's deadline is the limit. */
  readonly maxQueueMs: number;
}

export interface BulkheadOptions extends Partial<BulkheadNumbers> {
  /** For announcements and errors. Default `default`. */
  readonly name?: string;
  readonly clock?: Clock;
}

export const bulkheadDefaults: BulkheadNumbers = Object.freeze({
  maxConcurrent: 100,
  maxQueued: 100,
  maxQueueMs: Number.POSITIVE_INFINITY,
});

/** Bounds how much of the process one target can take, however slow it gets. */
export interface Bulkhead {
  readonly name: string;
  /** Refuses with `concurrency_limited`. */
  readonly policy: Policy;
  status(): ConcurrencyStatus;
}

export interface ConcurrencyStatus {
  readonly limit: number;
  readonly inUse: number;
  readonly queued: number;
}

export function createBulkhead(options: BulkheadOptions = {}): Bulkhead {
  checkKeys('bulkhead', options, [...Object.keys(bulkheadDefaults), 'name', 'clock']);
  const { name = 'default', clock = systemClock } = options;
  const numbers = withDefaults(bulkheadDefaults, options);
  const maxConcurrent = checkNumber('bulkhead.maxConcurrent', numbers.maxConcurrent, { min: 1, whole: true });
  const slots = new Slots(maxConcurrent, {
    name,
    policy: 'bulkhead',
    clock,
    maxQueued: checkNumber('bulkhead.maxQueued', numbers.maxQueued, { whole: true, unlimited: true }),
    maxQueueMs: checkQueueMs('bulkhead.maxQueueMs', numbers.maxQueueMs),
  });
  return {
    name,
    policy: (next) => (context) => slots.run(next, context),
    status: () => ({ limit: slots.limit, inUse: slots.inUse, queued: slots.queued }),
  };
}

export function checkQueueMs(option: string, value: number): number {
  return value === Number.POSITIVE_INFINITY ? value : checkNumber(option, value, { min: 1, max: maxTimerMs });
}
