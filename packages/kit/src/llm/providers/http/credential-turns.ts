import type { Clock } from '../../../time/index.ts';

/** How long a credential that was refused is left alone, in milliseconds: long enough to spare the provider, short enough to see it renewed. */
const restMs = 60_000;

/** Models for which refusals are remembered: clients may choose their names. */
const maxModels = 1000;

/**
 * Whose turn it is among the credentials of a provider. One that was refused (wrong, expired, without quota or credit, without
 * access to the model) rests, for that model alone. When all rest, the one that has rested longest goes: a call is one request
 * then and not one for each.
 */
export class CredentialTurns {
  readonly #count: number;
  readonly #clock: Clock;
  /** By model: until when each credential rests, on the monotonic clock. Only of models that one was refused for. */
  readonly #resting = new Map<string, Float64Array>();
  #turn = 0;

  constructor(count: number, clock: Clock) {
    this.#count = count;
    this.#clock = clock;
  }

  /** The place of the next credential in the list. */
  next(model: string): number {
    const turn = this.#turn++ % this.#count;
    const until = this.#resting.get(model);
    if (until === undefined) return turn;
    const now = this.#clock.monotonic();
    let chosen = turn;
    for (let step = 0; step < this.#count; step++) {
      const at = (turn + step) % this.#count;
      if (until[at]! <= now) return at;
      if (until[at]! < until[chosen]!) chosen = at;
    }
    return chosen;
  }

  /** Lets a credential rest. Returns whether there is one that does not. */
  refused(credential: number, model: string): boolean {
    if (this.#count === 1) return false;
    let until = this.#resting.get(model);
    if (until === undefined) {
      if (this.#resting.size >= maxModels) this.#resting.delete(this.#resting.keys().next().value!);
      this.#resting.set(model, (until = new Float64Array(this.#count)));
    }
    const now = this.#clock.monotonic();
    until[credential] = now + restMs;
    return until.some((each) => each <= now);
  }
}
