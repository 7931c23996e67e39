import type { ModelPriceEntry, PeakCost } from './price-file.ts';
import { readCost, type TokenPrices } from './token-prices.ts';

interface Period {
  readonly sinceMs: number;
  /** Undefined while the price is not known. */
  readonly prices: TokenPrices | undefined;
  readonly peak: Peak | undefined;
}

interface Peak {
  readonly hours: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  readonly prices: TokenPrices;
}

/** The prices of one model over time. */
export interface PriceTimeline {
  /** `atMs` is in milliseconds since the Unix epoch. Undefined before the first known price and where it is not known. */
  at(atMs: number): TokenPrices | undefined;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Throws a RangeError that says what is wrong with an entry. */
export function readTimeline(entry: ModelPriceEntry): PriceTimeline {
  const earlier = entry.earlier_costs ?? [];
  if (earlier.length > 0 && entry.cost_since === undefined) throw new RangeError('earlier_costs need a cost_since');
  const periods: Period[] = earlier.map(({ since, cost }) => ({
    sinceMs: readDay(since),
    prices: cost === null ? undefined : readCost(cost),
    peak: undefined,
  }));
  periods.push({
    sinceMs: entry.cost_since === undefined ? Number.NEGATIVE_INFINITY : readDay(entry.cost_since),
    prices: entry.cost === null ? undefined : readCost(entry.cost),
    peak: entry.cost_peak && readPeak(entry.cost_peak),
  });
  for (const [at, period] of periods.entries()) {
    if (at > 0 && period.sinceMs <= periods[at - 1]!.sinceMs) throw new RangeError('the dates of costs must ascend');
  }
  return Object.freeze({
    at(atMs: number): TokenPrices | undefined {
      const period = periods.findLast(({ sinceMs }) => atMs >= sinceMs);
      return period?.peak && isPeak(period.peak, atMs) ? period.peak.prices : period?.prices;
    },
  });
}

function isPeak({ hours, weekdays }: Peak, atMs: number): boolean {
  // The epoch began on a Thursday.
  const weekday = ((Math.floor(atMs / dayMs) + 3) % 7) + 1;
  return weekdays.has(weekday) && hours.has(Math.floor(atMs / hourMs) % 24);
}

function readPeak({ utc_hours: ranges, weekdays, cost }: PeakCost): Peak {
  const hours = new Set<number>();
  for (const [from, to] of ranges) {
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= 24))
      throw new RangeError(`utc_hours must be hours of a day, not ${from} to ${to}`);
    for (let hour = from; hour < to; hour++) hours.add(hour);
  }
  return { hours, weekdays: new Set(weekdays ?? [1, 2, 3, 4, 5, 6, 7]), prices: readCost(cost) };
}

function readDay(day: string): number {
  const atMs = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // Date.parse takes the 31st of February for the 3rd of March.
  if (Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== day)
    throw new RangeError(`a date must be a day as YYYY-MM-DD, not ${day}`);
  return atMs;
}
