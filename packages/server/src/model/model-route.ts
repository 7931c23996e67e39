import type { AttemptNext, Operation, Provider, TargetNext } from '@holdfast/kit/llm';
import type { Bulkhead, CircuitBreaker } from '@holdfast/kit/resilience';
import type { Routing } from './routing/index.ts';
import type { TargetRequest } from './target-request.ts';
import type { CallRateLimits } from './call-rate-limits.ts';

/** One provider and the name by which it knows the model, with the layers of a target around it. */
export interface Target {
  /** `provider/model`, as in the configuration. */
  readonly name: string;
  readonly provider: Provider;
  readonly model: string;
  /** Its share where a strategy goes by weight. */
  readonly weight: number;
  /** Undefined when the configuration wants none. */
  readonly breaker: CircuitBreaker | undefined;
  /** Undefined unless the configuration wants one. */
  readonly bulkhead: Bulkhead | undefined;
  /** One attempt, for a call that has attempts of its own. */
  readonly once: AttemptNext<TargetRequest>;
  /** Everything that may be tried at this target for one call. */
  readonly attempt: TargetNext<TargetRequest>;
}

/** What a name that clients ask for stands for. */
export interface ModelRoute {
  /** The name in the configuration, or `provider/model` for one that passes straight through. */
  readonly name: string;
  readonly targets: readonly Target[];
  /** In which order a call asks them. */
  readonly routing: Routing<Target>;
  /** For all who use it together; undefined does not limit it. */
  readonly rateLimits: CallRateLimits | undefined;
  /** A call that is late has a second attempt. */
  readonly hedged: boolean;
  /** How long a call may take, all its attempts together. */
  readonly totalMs: number;
  /** Milliseconds for which the beginning of a stream is kept back; 0 for not at all. */
  readonly holdBackMs: number;
  /** How many attempts one call makes at most, at all targets together; second ones of a hedge are not counted. */
  readonly mostAttempts: number;
  /** More than one attempt is made where one fails: whoever asked need not repeat what has been repeated. */
  readonly triesAgain: boolean;
}

export interface ListedModel {
  readonly id: string;
  readonly ownedBy: string;
  readonly operations: readonly Operation[];
}

/** The models of this server. Lookups are by name, from memory. */
export interface ModelCatalog {
  find(model: string): ModelRoute | undefined;
  list(): readonly ListedModel[];
  /** The names without a configuration of their own that were asked for lately: `provider/model`. */
  passedThrough(): readonly string[];
  /** Of all targets that have one, those of the configuration first. */
  breakers(): readonly CircuitBreaker[];
  /** By `provider/model`. */
  findBreaker(target: string): CircuitBreaker | undefined;
  /** Whether the configuration names this target; all others are names that clients chose. */
  isConfigured(target: string): boolean;
  /** Keeps open what an operator keeps open in the generation before. Once, when this one takes its place. */
  holdOpen(before: Pick<ModelCatalog, 'breakers'>): void;
  /** Ends the subscriptions of all breakers but those that `next` goes on with. */
  dispose(next?: ModelCatalog): void;
}
