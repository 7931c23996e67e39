import type { Clock, Random, Timer } from '../../time/index.ts';
import { checkNumber, withDefaults } from '../check-options.ts';
import { overloadBegan, overloadEnded, requestShed } from '../events.ts';
import { checkSignal, type LoadSignal, type LoadSignalStatus } from './load-signal.ts';

export interface OverloadNumbers {
  /** Between two looks at the signals. Default 500. */
  readonly sampleMs: number;
  /** Part of the requests that is shed when an overload begins whose signal is not urgent. Default 0.5. */
  readonly firstShare: number;
  /** What the part grows by with each sample that is still at the limit, as a factor. Default 1.5. */
  readonly growth: number;
  /** What it shrinks by with each sample below the relief of every signal. Default 0.1: it ends after five calm samples at the earliest. */
  readonly easing: number;
}

export interface OverloadOptions extends Partial<OverloadNumbers> {
  readonly signals: readonly LoadSignal[];
  readonly clock: Clock;
  readonly random: Random;
}

export const overloadDefaults: OverloadNumbers = Object.freeze({ sampleMs: 500, firstShare: 0.5, growth: 1.5, easing: 0.1 });

/** Says which requests a process that has too much to do should refuse before it has done anything for them. */
export interface OverloadDetector {
  /** Asked once for each request: the name of the signal for which it is to be refused; undefined when it may come in. */
  check(): string | undefined;
  /** The part of the requests that is refused, from 0 to 1. */
  readonly share: number;
  /** The signal that began the overload; undefined when there is none. */
  readonly reason: string | undefined;
  status(): readonly LoadSignalStatus[];
  /** Whole seconds, 1 to 4 at random: clients that were refused together do not come back together. */
  retryAfterSeconds(): number;
  close(): void;
}

/**
 * Sheds a growing part of the requests while a signal stays at its limit, and a shrinking one from when all are below their relief. All or nothing
 * would swing: everything is refused, the loop is free at once, everything is let in, and so on. The share settles where what is let in can be
 * done. Looks at the signals by a timer that does not keep the process alive. Throws `configuration_invalid`.
 */
export function createOverloadDetector(options: OverloadOptions): OverloadDetector {
  return new Detector(options);
}

interface Watched {
  readonly signal: Required<LoadSignal>;
  value: number;
  /** The last four samples, a bit each: whether it was beyond its limit. */
  recent: number;
  overloaded: boolean;
}

class Detector implements OverloadDetector {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #numbers: OverloadNumbers;
  readonly #watched: readonly Watched[];
  readonly #instant: readonly Watched[];
  readonly #timer: Timer;
  #share = 0;
  #reason: string | undefined;
  #beganAt = 0;
  #closed = false;

  constructor(options: OverloadOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    const numbers = withDefaults(overloadDefaults, options);
    checkNumber('overload.sampleMs', numbers.sampleMs, { min: 1 });
    checkNumber('overload.firstShare', numbers.firstShare, { min: 0.01, max: 1 });
    checkNumber('overload.growth', numbers.growth, { min: 1 });
    checkNumber('overload.easing', numbers.easing, { min: 0.001, max: 1 });
    this.#numbers = numbers;
    this.#watched = options.signals.map((signal) => ({ signal: checkSignal(signal), value: 0, recent: 0, overloaded: false }));
    this.#instant = this.#watched.filter(({ signal }) => signal.instant);
    this.#timer = this.#clock.setTimeout(() => this.#sample(), numbers.sampleMs);
  }

  get share(): number {
    return this.#share;
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  check(): string | undefined {
    for (const watched of this.#instant) {
      const { signal } = watched;
      const value = signal.read();
      if (value <= signal.limit) continue;
      watched.value = value;
      watched.overloaded = true;
      if (this.#share === 0) this.#begin();
      return shed(signal.name);
    }
    const share = this.#share;
    return share > 0 && (share >= 1 || this.#random.next() < share) ? shed(this.#reason!) : undefined;
  }

  status(): readonly LoadSignalStatus[] {
    return this.#watched.map(({ signal: { name, limit }, value, overloaded }) => ({ name, value, limit, overloaded }));
  }

  retryAfterSeconds(): number {
    return 1 + Math.floor(this.#random.next() * 4);
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  #sample(): void {
    const now = this.#clock.monotonic();
    let high = false;
    for (const watched of this.#watched) {
      if (this.#look(watched)) high = true;
    }
    if (high) {
      if (this.#share === 0) this.#begin();
      else this.#grow();
    } else if (this.#share > 0) {
      const first = this.#firstOverloaded();
      // What began it is over; another signal may go on.
      if (first) this.#reason = first.signal.name;
      else this.#ease(now);
    }
    // Who hears that an overload began may close it: a timer that was cancelled would live again.
    if (!this.#closed) this.#timer.refresh();
  }

  /** Whether the signal is beyond its limit, and not for the first time where that is nothing yet. */
  #look(watched: Watched): boolean {
    const { signal } = watched;
    const value = (watched.value = signal.read());
    const high = value > signal.limit;
    watched.recent = ((watched.recent << 1) | (high ? 1 : 0)) & 0b1111;
    if (high) {
      // While an overload is on, no new hesitation: a load that swings around the limit would let it end each time.
      if (this.#share === 0 && bitsOf(watched.recent) < signal.sightings) return false;
      return (watched.overloaded = true);
    }
    // Between relief and limit: an overload that is on stays on, and none begins.
    if (value < signal.relief) watched.overloaded = false;
    return false;
  }

  #firstOverloaded(): Watched | undefined {
    return this.#watched.find(({ overloaded }) => overloaded);
  }

  #begin(): void {
    const { signal } = this.#firstOverloaded()!;
    this.#share = this.#isUrgent() ? 1 : this.#numbers.firstShare;
    this.#reason = signal.name;
    this.#beganAt = this.#clock.monotonic();
    if (overloadBegan.hasSubscribers) overloadBegan.publish({ reason: signal.name, signals: this.status() });
  }

  #grow(): void {
    this.#reason = this.#firstOverloaded()!.signal.name;
    this.#share = this.#isUrgent() ? 1 : Math.min(1, this.#share * this.#numbers.growth);
  }

  #isUrgent(): boolean {
    return this.#watched.some(({ signal, overloaded }) => overloaded && signal.urgent);
  }

  #ease(now: number): void {
    // In whole thousandths, or ten steps of 0.1 would not be one.
    this.#share = Math.max(0, Math.round((this.#share - this.#numbers.easing) * 1_000) / 1_000);
    if (this.#share > 0) return;
    const reason = this.#reason!;
    this.#reason = undefined;
    if (overloadEnded.hasSubscribers) overloadEnded.publish({ reason, durationMs: now - this.#beganAt });
  }
}

function bitsOf(four: number): number {
  return (four & 1) + ((four >> 1) & 1) + ((four >> 2) & 1) + (four >> 3);
}

function shed(reason: string): string {
  if (requestShed.hasSubscribers) requestShed.publish({ reason });
  return reason;
}
