import type { Clock } from '../../time/index.ts';

/** Keys that were good lately. Bounded: the one that was good longest ago goes first. */
export class KnownTable {
  readonly #clock: Clock;
  readonly #knownForMs: number;
  readonly #maxKeys: number;
  /** In the order of the last note. */
  readonly #notedAtMs = new Map<string, number>();

  constructor(clock: Clock, knownForMs: number, maxKeys: number) {
    this.#clock = clock;
    this.#knownForMs = knownForMs;
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#notedAtMs.size;
  }

  note(key: string): void {
    const nowMs = this.#clock.monotonic();
    const before = this.#notedAtMs.get(key);
    // This is on the way of every good call: moving it to the end each time would cost more than it is worth.
    if (before !== undefined && nowMs - before < this.#knownForMs / 16) return;
    if (before !== undefined) this.#notedAtMs.delete(key);
    this.#notedAtMs.set(key, nowMs);
    if (this.#notedAtMs.size > this.#maxKeys) this.#dropOldest();
  }

  has(key: string): boolean {
    const notedAtMs = this.#notedAtMs.get(key);
    if (notedAtMs === undefined) return false;
    if (this.#clock.monotonic() - notedAtMs < this.#knownForMs) return true;
    this.#notedAtMs.delete(key);
    return false;
  }

  #dropOldest(): void {
    for (const key of this.#notedAtMs.keys()) {
      this.#notedAtMs.delete(key);
      return;
    }
  }
}
