/** One name that clients may ask for. */
export interface ModelConfiguration {
  readonly name: string;
  /** In the order in which they are tried. At least one. */
  readonly targets: readonly ModelTarget[];
  readonly limits: ModelLimits;
}

export interface ModelTarget {
  /** Name of a provider of the configuration. */
  readonly provider: string;
  /** The name by which the provider knows the model. May have slashes. */
  readonly model: string;
}

/** How long is waited for what, in milliseconds. */
export interface ModelLimits {
  /** Until a connection to the provider is made. */
  readonly connectMs: number;
  /** Streams: until the first event of the answer. Comments and pings do not count. */
  readonly firstTokenMs: number;
  /** Streams: between two signs of life; pings count. */
  readonly stallMs: number;
  /** The whole call. */
  readonly totalMs: number;
}

/** Also the limits of a `provider/model` that is not listed. */
export const defaultModelLimits: ModelLimits = Object.freeze({
  connectMs: 10_000,
  firstTokenMs: 60_000,
  stallMs: 60_000,
  totalMs: 600_000,
});
