import { totalmem } from 'node:os';
import process from 'node:process';
import { getHeapStatistics } from 'node:v8';
import { createEventLoopMonitor } from '../../time/index.ts';
import { checkKeys, checkNumber, withDefaults } from '../check-options.ts';
import type { LoadSignal } from './load-signal.ts';

export interface ProcessSignalNumbers {
  /** The turn of the event loop that a request finds, on average, in milliseconds. Default 500; 0 does not look at it. */
  readonly eventLoopDelayMs: number;
  /** Of the heap that V8 may use, and of the memory that the process may use, in percent. Default 90; 0 does not look at them. */
  readonly memoryPercent: number;
}

export interface ProcessSignalOptions extends Partial<ProcessSignalNumbers> {
  /** What the process may use, in bytes. Default: the limit of its container (cgroup), or else the memory of the machine. */
  readonly memoryLimitBytes?: number | undefined;
}

/**
 * 500 ms: a model call takes some ten turns of the loop, so it is late by seconds then, while the queue of a burst that a process gets
 * through in time stays below. (toobusy-js, for pages, has 70 ms; the example of @fastify/under-pressure has 1,000.)
 * 90 %: V8 ends the process when its heap is full, and the kernel when its container is; what is under way still grows.
 */
export const processSignalDefaults: ProcessSignalNumbers = Object.freeze({
  eventLoopDelayMs: 500,
  memoryPercent: 90,
});

export interface ProcessSignals {
  readonly signals: readonly LoadSignal[];
  close(): void;
}

/**
 * `event_loop_delay` (milliseconds), `heap` and `memory` (bytes) of this process, for an overload detector. How busy the loop is (its utilization) is
 * no sign of overload: a server that is used well is always busy, one that has too much to do is late.
 */
export function processSignals(options: ProcessSignalOptions = {}): ProcessSignals {
  checkKeys('processSignals', options, [...Object.keys(processSignalDefaults), 'memoryLimitBytes']);
  const numbers = withDefaults(processSignalDefaults, options);
  const limitMs = checkNumber('eventLoopDelayMs', numbers.eventLoopDelayMs);
  const percent = checkNumber('memoryPercent', numbers.memoryPercent, { max: 100 });
  const signals: LoadSignal[] = [];
  const loop = limitMs > 0 ? createEventLoopMonitor() : undefined;
  if (loop)
    signals.push({
      name: 'event_loop_delay',
      read: () => loop.takeDelayMs(),
      limit: limitMs,
      // One long turn (a collection of garbage, one huge body) is over before anybody could be refused for it.
      sightings: 2,
    });
  if (percent > 0) {
    const share = percent / 100;
    const memoryLimit = checkNumber('memoryLimitBytes', options.memoryLimitBytes ?? availableToProcess(), { min: 1 });
    // Twice in a row for the heap: garbage that V8 has not come to collect yet counts as used.
    const heapLimit = getHeapStatistics().heap_size_limit;
    signals.push(
      { name: 'heap', read: () => getHeapStatistics().used_heap_size, limit: heapLimit * share, sightings: 2, urgent: true },
      { name: 'memory', read: () => process.memoryUsage.rss(), limit: memoryLimit * share, urgent: true },
    );
  }
  return { signals, close: () => loop?.close() };
}

/** Without a limit the kernel says 0, or a number that no machine has. */
function availableToProcess(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
