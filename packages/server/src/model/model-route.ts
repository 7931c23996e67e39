import type { AttemptNext, Operation, Provider } from '@holdfast/kit/llm';

/** One provider and the name by which it knows the model, with the layers of an attempt around it. */
export interface Target {
  /** `provider/model`, as in the configuration. */
  readonly name: string;
  readonly provider: Provider;
  readonly model: string;
  readonly attempt: AttemptNext;
}

/** What a name that clients ask for stands for. */
export interface ModelRoute {
  /** The name in the configuration, or `provider/model` for one that passes straight through. */
  readonly name: string;
  readonly targets: readonly Target[];
  /** How long a call may take, all its attempts together. */
  readonly totalMs: number;
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
}
