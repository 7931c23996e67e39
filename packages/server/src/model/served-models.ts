import type { Clock, Timer } from '@holdfast/kit/time';
import type { ModelCatalog } from './model-route.ts';
import type { Pricing } from './pricing.ts';

export interface ModelGenerationOptions {
  readonly catalog: ModelCatalog;
  readonly pricing: Pricing;
  readonly clock: Clock;
  /** How long a call of this generation can take at most, in milliseconds: after that it is let go, whatever was counted. */
  readonly longestCallMs: number;
  /** Called once, when the generation was replaced and no call works with it any more. */
  readonly onUnused: () => void;
}

/** The models and prices of one configuration. A call keeps to the generation that it began with. */
export class ModelGeneration {
  readonly catalog: ModelCatalog;
  readonly pricing: Pricing;
  readonly #options: ModelGenerationOptions;
  #calls = 0;
  #state: 'served' | 'replaced' | 'unused' = 'served';
  #bound: Timer | undefined;

  constructor(options: ModelGenerationOptions) {
    this.catalog = options.catalog;
    this.pricing = options.pricing;
    this.#options = options;
  }

  /** A call begins: what the generation works with stays open until its `leave`. */
  enter(): void {
    this.#calls++;
  }

  leave(): void {
    if (--this.#calls === 0 && this.#state === 'replaced') this.#letGo();
  }

  /** No new call will come. */
  retire(): void {
    if (this.#state !== 'served') return;
    this.#state = 'replaced';
    if (this.#calls === 0) this.#letGo();
    else this.#bound = this.#options.clock.setTimeout(() => this.#letGo(), this.#options.longestCallMs);
  }

  #letGo(): void {
    if (this.#state === 'unused') return;
    this.#state = 'unused';
    this.#bound?.cancel();
    this.#options.onUnused();
  }
}

/** What is served at this moment. Replacing it is one assignment: every call sees the old generation or the new one, whole. */
export class ServedModels {
  #current: ModelGeneration;

  constructor(first: ModelGeneration) {
    this.#current = first;
  }

  get current(): ModelGeneration {
    return this.#current;
  }

  replace(next: ModelGeneration): void {
    const before = this.#current;
    this.#current = next;
    before.retire();
  }
}
