/** What a call used, in tokens. All integers ≥ 0. */
export interface Usage {
  /** Everything that went in, cached or not. */
  readonly promptTokens: number;
  /** Everything that came out, reasoning included. */
  readonly completionTokens: number;
  /** The part of `promptTokens` that the provider read from its cache. */
  readonly cachedTokens: number;
  /** The part of `promptTokens` that the provider wrote to its cache (dearer at Anthropic). */
  readonly cacheWriteTokens: number;
  /** The part of `completionTokens` that was reasoning. */
  readonly reasoningTokens: number;
  /** The part of `cacheWriteTokens` that is kept for an hour (dearer still at Anthropic). Absent means none. */
  readonly cacheWrite1hTokens?: number;
  /** The part of `promptTokens` that was sound. Absent means none, as below. */
  readonly audioPromptTokens?: number;
  /** The part of `completionTokens` that was sound. */
  readonly audioCompletionTokens?: number;
  /** The part of `promptTokens` that was pictures, where the provider tells. */
  readonly imagePromptTokens?: number;
  /** The part of `completionTokens` that was pictures. */
  readonly imageCompletionTokens?: number;
  /** `estimated` when the provider reported nothing and the tokens were counted here. */
  readonly source: 'provider' | 'estimated';
}
