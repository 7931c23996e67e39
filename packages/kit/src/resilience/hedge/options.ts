import { systemClock, type Clock } from '../../time/index.ts';
import { checkKeys, checkNumber, withDefaults } from '../check-options.ts';
import { maxTimerMs } from '../timeout.ts';

export interface HedgeNumbers {
  /** A second request goes out after this percentile of the latencies seen. Default 95: one call in twenty is slower. */
  readonly afterPercentile: number;
  /** Second requests as a share of all calls, never exceeded. Default 5. */
  readonly maxExtraPercent: number;
  /** Answers to have seen before a percentile is believed. Default 20. */
  readonly minSamples: number;
  /** Latencies remembered. Default 256. */
  readonly sampleCount: number;
  /** No second request goes out sooner, in milliseconds. Default 1. */
  readonly minDelayMs: number;
}

export interface HedgeOptions extends Partial<HedgeNumbers> {
  /** For announcements. Default `default`. */
  readonly name?: string;
  /** A fixed delay in milliseconds, in place of the percentile. */
  readonly delayMs?: number;
  readonly clock?: Clock;
}

export const hedgeDefaults: HedgeNumbers = Object.freeze({
  afterPercentile: 95,
  maxExtraPercent: 5,
  minSamples: 20,
  sampleCount: 256,
  minDelayMs: 1,
});

export interface HedgeSettings extends HedgeNumbers {
  readonly name: string;
  readonly delayMs: number | undefined;
  readonly clock: Clock;
}

export function readHedgeOptions(options: HedgeOptions): HedgeSettings {
  checkKeys('hedge', options, [...Object.keys(hedgeDefaults), 'name', 'delayMs', 'clock']);
  const { name = 'default', clock = systemClock, delayMs } = options;
  const numbers = withDefaults(hedgeDefaults, options);
  const sampleCount = checkNumber('hedge.sampleCount', numbers.sampleCount, { min: 1, max: 65_536, whole: true });
  return Object.freeze({
    name,
    clock,
    delayMs: delayMs === undefined ? undefined : checkNumber('hedge.delayMs', delayMs, { min: 1, max: maxTimerMs }),
    afterPercentile: checkNumber('hedge.afterPercentile', numbers.afterPercentile, { max: 100 }),
    maxExtraPercent: checkNumber('hedge.maxExtraPercent', numbers.maxExtraPercent, { max: 100 }),
    minSamples: checkNumber('hedge.minSamples', numbers.minSamples, { min: 1, max: sampleCount, whole: true }),
    sampleCount,
    minDelayMs: checkNumber('hedge.minDelayMs', numbers.minDelayMs, { max: maxTimerMs }),
  });
}
