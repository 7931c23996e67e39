import type { Random } from '../../time/index.ts';
import type { RetryNumbers } from './options.ts';

/**
 * The wait after a failed attempt (counted from 1), in milliseconds. Full jitter is that of "Exponential Backoff And
 * Jitter" (AWS Architecture Blog, 2015): of the variants compared there it makes the fewest calls, and it needs no state.
 */
export function backoffMs(numbers: RetryNumbers, failedAttempt: number, random: Random): number {
  const ceilingMs = Math.min(numbers.maxDelayMs, ceiling(numbers, failedAttempt));
  return numbers.jitter === 'full' ? random.next() * ceilingMs : ceilingMs;
}

function ceiling({ backoff, firstDelayMs, factor }: RetryNumbers, failedAttempt: number): number {
  switch (backoff) {
    case 'exponential':
      return firstDelayMs * factor ** (failedAttempt - 1);
    case 'linear':
      return firstDelayMs * failedAttempt;
    case 'immediate':
      return 0;
  }
}
