import { checkNumber, optionFault, withDefaults } from '../options.ts';

export interface BanDurations {
  /** The first ban of an address. Default 300,000 (5 minutes). */
  readonly firstMs?: number;
  /** Each further one lasts so many times as long as the one before. Default 2. */
  readonly factor?: number;
  /** No automatic ban is longer. Default 86,400,000 (a day). */
  readonly maxMs?: number;
  /** So long after the end of its last ban an address begins at `firstMs` again. Default 86,400,000 (a day). */
  readonly forgetAfterMs?: number;
}

export const banDurationDefaults = Object.freeze({
  firstMs: 300_000,
  factor: 2,
  maxMs: 86_400_000,
  forgetAfterMs: 86_400_000,
});

export type ResolvedBanDurations = Readonly<Required<BanDurations>>;

/** A timer cannot wait longer, and nobody remembers why. */
const longestMs = 365 * 86_400_000;

export function readBanDurations(given: BanDurations = {}): ResolvedBanDurations {
  const durations = withDefaults<BanDurations>('the durations of bans', banDurationDefaults, given);
  checkNumber('firstMs', durations.firstMs, { min: 1, max: longestMs });
  checkNumber('factor', durations.factor, { min: 1, max: 100 });
  checkNumber('maxMs', durations.maxMs, { min: 1, max: longestMs });
  checkNumber('forgetAfterMs', durations.forgetAfterMs, { min: 0, max: longestMs });
  if (durations.maxMs < durations.firstMs) throw optionFault('maxMs', 'at least firstMs', durations.maxMs);
  return durations;
}

/** Of the ban that comes after so many. */
export function banDurationMs(repeats: number, { firstMs, factor, maxMs }: ResolvedBanDurations): number {
  return Math.min(maxMs, firstMs * factor ** repeats);
}
