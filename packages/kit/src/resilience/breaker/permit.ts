import type { BreakerPermit } from './circuit-breaker.ts';

/** Who hears what became of a permit. */
export interface PermitOwner {
  permitSucceeded(permit: Permit): void;
  permitFailed(permit: Permit, error: unknown): void;
  permitAbandoned(permit: Permit): void;
}

export class Permit implements BreakerPermit {
  readonly admitted = true;
  readonly generation: number;
  readonly probe: boolean;
  readonly #owner: PermitOwner;
  #settled = false;

  constructor(owner: PermitOwner, generation: number, probe: boolean) {
    this.#owner = owner;
    this.generation = generation;
    this.probe = probe;
  }

  succeeded(): void {
    if (this.#settle()) this.#owner.permitSucceeded(this);
  }

  failed(error: unknown): void {
    if (this.#settle()) this.#owner.permitFailed(this, error);
  }

  abandoned(): void {
    if (this.#settle()) this.#owner.permitAbandoned(this);
  }

  /** Only a probe belongs to one call; the permit of a closed breaker is everybody's. */
  #settle(): boolean {
    if (!this.probe) return true;
    if (this.#settled) return false;
    this.#settled = true;
    return true;
  }
}
