/**
 * The shape of our price files: that of models.dev (a provider, its models, each with a `cost` in dollars per million
 * tokens), and dates beside it, so that yesterday's call keeps yesterday's price. A model of models.dev fits as it is.
 */
export interface PriceFile {
  /** The kind of provider, as in the configuration. */
  readonly id: string;
  readonly name?: string;
  /** Where the provider publishes its prices. */
  readonly doc?: string;
  /** When these prices were last compared with it. */
  readonly last_updated?: string;
  readonly models: Readonly<Record<string, ModelPriceEntry>>;
}

export interface ModelPriceEntry {
  /** Null when a price is known to have ended and the one that followed it is not known. */
  readonly cost: ModelCost | null;
  /** First day (UTC, `YYYY-MM-DD`) of `cost`. Without it `cost` holds at all times, and `earlier_costs` is not allowed. */
  readonly cost_since?: string;
  /** What it was before, oldest first. */
  readonly earlier_costs?: readonly { readonly since: string; readonly cost: ModelCost | null }[];
  /** What it is instead at some hours. */
  readonly cost_peak?: PeakCost;
  /** What the model takes and gives at most, in tokens, with every beta that widens it. */
  readonly limit?: ModelTokenLimit;
}

export interface ModelTokenLimit {
  /** Prompt and answer together. */
  readonly context: number;
  /** The longest answer, reasoning included. */
  readonly output: number;
}

/** Dollars per million tokens. */
export interface ModelCost {
  readonly input: number;
  readonly output: number;
  /** Default: `output`. */
  readonly reasoning?: number;
  /** Default: `input`. */
  readonly cache_read?: number;
  /** Default: `input`. Of what is kept for five minutes, where a provider tells the two apart. */
  readonly cache_write?: number;
  /** Of what is kept for an hour. Default: `cache_write`. */
  readonly cache_write_1h?: number;
  /** Sound in the prompt. Default: `input`. */
  readonly input_audio?: number;
  /** Sound in the answer. Default: `output`. */
  readonly output_audio?: number;
  /** Pictures in the prompt. Default: `input`. */
  readonly input_image?: number;
  /** Pictures in the answer. Default: `output`. */
  readonly output_image?: number;
  /** What a batch pays, as a share of all of these: 0.5 is half. Absent where it is not known. */
  readonly batch?: number;
  /** For the whole call when its prompt has more tokens than `size`. */
  readonly tiers?: readonly ModelCostTier[];
}

export interface ModelCostTier extends Omit<ModelCost, 'tiers' | 'batch'> {
  readonly tier: { readonly size: number };
}

export interface PeakCost {
  /** Hours of the day in UTC, from the first up to but not including the second. */
  readonly utc_hours: readonly (readonly [from: number, to: number])[];
  /** 1 is Monday, 7 is Sunday. Default: every day. */
  readonly weekdays?: readonly number[];
  readonly cost: ModelCost;
}
