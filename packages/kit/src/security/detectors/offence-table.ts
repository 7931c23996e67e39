import type { Clock } from '../../time/index.ts';

export interface OffenceTableOptions {
  readonly clock: Clock;
  /** As much as may come in a window. */
  readonly threshold: number;
  readonly windowMs: number;
  readonly maxKeys: number;
  /** The level goes no higher, so that what is over is over in a bounded time. Default no bound. */
  readonly highestLevel?: number;
}

/** What is held against one key. */
export interface Offence {
  readonly key: string;
  /** What was added, less what drained since: `threshold` in each window. */
  readonly level: number;
  /** How many were added since the level was last 0; what was seen before is not counted again. */
  readonly count: number;
  /** The first few, to show to people. */
  readonly samples: readonly string[];
}

interface Entry extends Offence {
  level: number;
  count: number;
  samples: string[];
  atMs: number;
  /** Hashes of what was seen, the newest over the oldest beyond `mostSeen`. */
  seen: number[];
  place: number;
}

export interface OffenceDetail {
  /** Hash of what was tried: the same again adds nothing, since a client that repeats itself guesses nothing. */
  readonly token?: number;
  readonly sample?: string;
}

const mostSeen = 64;
const mostSamples = 3;
const longestSample = 80;
/** How many are looked at for each one that is added. */
const stepsPerAdded = 2;
/** From how many the victim is chosen when none of those had drained. */
const candidates = 16;

/**
 * A leaky bucket for each key. Its level passes the threshold only if more than the threshold came within some window (what drains over a
 * time of n windows is n thresholds, and what comes in it is at most n + 1), and surely if more than twice of it did.
 *
 * Bounded: when all `maxKeys` are in use, a new key takes the place of the one with the lowest level of 16 drawn at random. So a flood of a
 * million addresses pushes out addresses that did little, and hardly one that is about to be found out.
 */
export class OffenceTable {
  readonly threshold: number;
  readonly #clock: Clock;
  readonly #drainPerMs: number;
  readonly #maxKeys: number;
  readonly #highestLevel: number;
  readonly #byKey = new Map<string, Entry>();
  readonly #list: Entry[] = [];
  #cursor = 0;
  #draw = 1;

  constructor({ clock, threshold, windowMs, maxKeys, highestLevel = Number.POSITIVE_INFINITY }: OffenceTableOptions) {
    this.threshold = threshold;
    this.#clock = clock;
    this.#drainPerMs = threshold / windowMs;
    this.#maxKeys = maxKeys;
    this.#highestLevel = highestLevel;
  }

  get size(): number {
    return this.#list.length;
  }

  /** Returns what is held against the key now. MUST NOT be kept: it changes. */
  add(key: string, weight: number, { token, sample }: OffenceDetail = {}): Offence {
    const nowMs = this.#clock.monotonic();
    const entry = this.#byKey.get(key) ?? this.#insert(key, nowMs);
    this.#drain(entry, nowMs);
    if (token !== undefined) {
      if (entry.seen.includes(token)) return entry;
      if (entry.seen.length < mostSeen) entry.seen.push(token);
      else entry.seen[entry.count % mostSeen] = token;
    }
    entry.level = Math.min(this.#highestLevel, entry.level + weight);
    entry.count += 1;
    if (sample !== undefined && entry.samples.length < mostSamples) entry.samples.push(detached(sample));
    return entry;
  }

  level(key: string): number {
    const entry = this.#byKey.get(key);
    return entry === undefined ? 0 : Math.max(0, entry.level - (this.#clock.monotonic() - entry.atMs) * this.#drainPerMs);
  }

  /** Takes back what turned out to be none. */
  relieve(key: string, weight: number): void {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return;
    this.#drain(entry, this.#clock.monotonic());
    entry.level = Math.max(0, entry.level - weight);
  }

  /** How long until the level is this low, if nothing comes in between. */
  msUntilBelow(key: string, level: number): number {
    return Math.max(0, this.level(key) - level) / this.#drainPerMs;
  }

  drop(key: string): void {
    const entry = this.#byKey.get(key);
    if (entry !== undefined) this.#remove(entry);
  }

  #drain(entry: Entry, nowMs: number): void {
    entry.level = Math.max(0, entry.level - (nowMs - entry.atMs) * this.#drainPerMs);
    entry.atMs = nowMs;
    if (entry.level > 0) return;
    entry.count = 0;
    if (entry.seen.length > 0) entry.seen = [];
    if (entry.samples.length > 0) entry.samples = [];
  }

  #insert(key: string, nowMs: number): Entry {
    for (let step = 0; step < stepsPerAdded && this.#list.length > 0; step++) {
      if (this.#cursor >= this.#list.length) this.#cursor = 0;
      const looked = this.#list[this.#cursor]!;
      if (this.#levelAt(looked, nowMs) === 0) this.#remove(looked);
      else this.#cursor += 1;
    }
    if (this.#list.length >= this.#maxKeys) this.#evict(nowMs);
    const entry: Entry = { key, level: 0, count: 0, samples: [], atMs: nowMs, seen: [], place: this.#list.length };
    this.#list.push(entry);
    this.#byKey.set(key, entry);
    return entry;
  }

  #levelAt(entry: Entry, nowMs: number): number {
    return Math.max(0, entry.level - (nowMs - entry.atMs) * this.#drainPerMs);
  }

  #evict(nowMs: number): void {
    let victim: Entry | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (let looked = 0; looked < candidates; looked++) {
      this.#draw = (Math.imul(this.#draw, 1_664_525) + 1_013_904_223) >>> 0;
      const entry = this.#list[Math.floor((this.#draw / 0x1_0000_0000) * this.#list.length)]!;
      const level = this.#levelAt(entry, nowMs);
      if (level < lowest) [victim, lowest] = [entry, level];
    }
    this.#remove(victim!);
  }

  #remove(entry: Entry): void {
    this.#byKey.delete(entry.key);
    const last = this.#list.pop()!;
    if (last === entry) return;
    this.#list[entry.place] = last;
    last.place = entry.place;
  }
}

/** A part of a string keeps the whole alive: a few letters of a path would hold its 16 kB. */
function detached(text: string): string {
  return Buffer.from(text.slice(0, longestSample), 'utf8').toString('utf8');
}
