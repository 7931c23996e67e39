import { LatencyWindow } from './latency-window.ts';
import { readHedgeOptions, type HedgeOptions, type HedgeSettings } from './options.ts';

/** When a call counts as slow, and whether a second request may be sent for it: what all calls of one target share. */
export interface HedgeTrigger {
  /** A call begins. Returns after how many milliseconds its second request is due; undefined while too little was seen to say so. */
  begin(): number | undefined;
  /** Leave for one second request. It may only be asked for when one is sent with it. */
  tryTake(): boolean;
  /** How long a call waited for the first part of its answer, or for all of it where that comes at once. */
  record(latencyMs: number): void;
}

/** For races that are no single promise. Clock and name are of no use here. */
export function createHedgeTrigger(options: HedgeOptions = {}): HedgeTrigger {
  return new Trigger(readHedgeOptions(options));
}

/** How many second requests may be saved up: a quiet hour must not pay for a stampede. */
const maxCredit = 10;

export class Trigger implements HedgeTrigger {
  readonly settings: HedgeSettings;
  readonly #latencies: LatencyWindow;
  readonly #earned: number;
  #credit = 0;

  constructor(settings: HedgeSettings) {
    this.settings = settings;
    this.#earned = settings.maxExtraPercent / 100;
    this.#latencies = new LatencyWindow(settings.sampleCount, settings.afterPercentile, settings.minSamples);
  }

  begin(): number | undefined {
    this.#credit = Math.min(maxCredit, this.#credit + this.#earned);
    const { delayMs, minDelayMs } = this.settings;
    const observed = delayMs ?? this.#latencies.value;
    return observed === undefined ? undefined : Math.max(minDelayMs, observed);
  }

  record(latencyMs: number): void {
    this.#latencies.record(latencyMs);
  }

  /** The sum of twentieths falls short of the whole by a rounding error. */
  tryTake(): boolean {
    if (this.#credit < 1 - 1e-9) return false;
    this.#credit -= 1;
    return true;
  }
}
