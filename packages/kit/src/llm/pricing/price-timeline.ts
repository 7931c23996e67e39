import type { ModelPriceEntry, PeakCost } from './price-file.ts';
import { datePrice, type DatedPrice, type PriceOrigin } from './dated-price.ts';

interface Period {
  readonly sinceMs: number;
  /** Undefined while the price is not known. */
  readonly price: DatedPrice | undefined;
  readonly peak: Peak | undefined;
}

interface Peak {
  readonly hours: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  readonly price: DatedPrice;
}

/** The prices of one model over time. */
export interface PriceTimeline {
  /** `atMs` is in milliseconds since the Unix epoch. Undefined before the first known price and where it is not known. */
  at(atMs: number): DatedPrice | undefined;
  /** All of them, oldest first. */
  readonly all: readonly DatedPrice[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Throws a RangeError that says what is wrong with an entry. */
export function readTimeline(entry: ModelPriceEntry, origin: PriceOrigin): PriceTimeline {
  const earlier = entry.earlier_costs ?? [];
  if (earlier.length > 0 && entry.cost_since === undefined) throw new RangeError('earlier_costs need a cost_since');
  const periods: Period[] = earlier.map(({ since, cost }) => ({
    sinceMs: readDay(since),
    price: cost === null ? undefined : datePrice(origin, since, false, cost),
    peak: undefined,
  }));
  periods.push({
    sinceMs: entry.cost_since === undefined ? Number.NEGATIVE_INFINITY : readDay(entry.cost_since),
    price: entry.cost === null ? undefined : datePrice(origin, entry.cost_since, false, entry.cost),
    peak: entry.cost_peak && readPeak(entry.cost_peak, origin, entry.cost_since),
  });
  for (const [at, period] of periods.entries()) {
    if (at > 0 && period.sinceMs <= periods[at - 1]!.sinceMs) throw new RangeError('the dates of costs must ascend');
  }
  return Object.freeze({
    at(atMs: number): DatedPrice | undefined {
      const period = periods.findLast(({ sinceMs }) => atMs >= sinceMs);
      return period?.peak && isPeak(period.peak, atMs) ? period.peak.price : period?.price;
    },
    all: periods.flatMap(({ price, peak }) => [price, peak?.price]).filter((price) => price !== undefined),
  });
}

function isPeak({ hours, weekdays }: Peak, atMs: number): boolean {
  // The epoch began on a Thursday.
  const weekday = ((Math.floor(atMs / dayMs) + 3) % 7) + 1;
  return weekdays.has(weekday) && hours.has(Math.floor(atMs / hourMs) % 24);
}

function readPeak({ utc_hours: ranges, weekdays, cost }: PeakCost, origin: PriceOrigin, since: string | undefined): Peak {
  const hours = new Set<number>();
  for (const [from, to] of ranges) {
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= 24))
      throw new RangeError(`utc_hours must be hours of a day, not ${from} to ${to}`);
    for (let hour = from; hour < to; hour++) hours.add(hour);
  }
  return { hours, weekdays: new Set(weekdays ?? [1, 2, 3, 4, 5, 6, 7]), price: datePrice(origin, since, true, cost) };
}

function readDay(day: string): number {
  const atMs = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // Date.parse takes the 31st of February for the 3rd of March.
  if (Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== day)
    throw new RangeError(`a date must be a day as YYYY-MM-DD, not ${day}`);
  return atMs;
}
