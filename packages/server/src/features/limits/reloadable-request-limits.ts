import type { Principal } from '../../model/index.ts';
import type { RequestLimitOptions } from './options.ts';
import { createRequestLimits, type LevelsOfRoute, type LimitedRoute, type RequestLimits } from './request-limits.ts';

interface KnownRoute {
  readonly route: LimitedRoute;
  levels: LevelsOfRoute;
}

const takesNothing: LevelsOfRoute = () => [];

/** Limits on requests that another configuration can replace while they are asked. Buckets stay, since they go by name. */
export class ReloadableRequestLimits implements RequestLimits {
  readonly #routes: KnownRoute[] = [];
  #current: RequestLimits | undefined;

  /** Undefined: nothing is limited. */
  constructor(options: RequestLimitOptions | undefined) {
    this.#current = options && createRequestLimits(options);
  }

  forRoute(route: LimitedRoute): LevelsOfRoute {
    const known: KnownRoute = { route, levels: this.#current?.forRoute(route) ?? takesNothing };
    this.#routes.push(known);
    return (principal, address) => known.levels(principal, address);
  }

  /** Makes all of the next limits, and throws `configuration_invalid` where that fails; what it returns puts them in force. */
  prepare(options: RequestLimitOptions | undefined): () => void {
    const next = options && createRequestLimits(options);
    const levels = this.#routes.map(({ route }) => next?.forRoute(route) ?? takesNothing);
    next?.refuseUnknownEndpoints();
    return () => {
      this.#current = next;
      for (const [at, known] of this.#routes.entries()) known.levels = levels[at]!;
    };
  }

  ofCaller(principal: Principal) {
    return this.#current?.ofCaller(principal) ?? [];
  }

  ofOrganization(organizationId: string, tier: string) {
    return this.#current?.ofOrganization(organizationId, tier) ?? [];
  }

  ofAddress(addressKey: string) {
    return this.#current?.ofAddress(addressKey) ?? [];
  }

  refuseUnknownEndpoints(): void {
    this.#current?.refuseUnknownEndpoints();
  }
}
