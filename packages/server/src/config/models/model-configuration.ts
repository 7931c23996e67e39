import type { AttemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';

/** One name that clients may ask for. */
export interface ModelConfiguration {
  readonly name: string;
  /** In the order in which they are tried. At least one. */
  readonly targets: readonly ModelTarget[];
  readonly limits: AttemptLimits;
}

export interface ModelTarget {
  /** Name of a provider of the configuration. */
  readonly provider: string;
  /** The name by which the provider knows the model. May have slashes. */
  readonly model: string;
}
