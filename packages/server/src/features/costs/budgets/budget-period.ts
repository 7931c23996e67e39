import type { BudgetPeriod } from './budget.ts';

/** From `startMs` on and before `endMs`, in Unix milliseconds. */
export interface BudgetWindow {
  readonly startMs: number;
  /** Infinity where it has no end. */
  readonly endMs: number;
}

const dayMs = 86_400_000;

/** The day or month of UTC that holds this moment. A budget of a total has one window, from the epoch on. */
export function windowAt(period: BudgetPeriod, unixMs: number): BudgetWindow {
  if (period === 'total') return { startMs: 0, endMs: Number.POSITIVE_INFINITY };
  if (period === 'day') {
    const startMs = Math.floor(unixMs / dayMs) * dayMs;
    return { startMs, endMs: startMs + dayMs };
  }
  const date = new Date(unixMs);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) };
}
