import { HoldfastError } from '../../errors/index.ts';
import { systemClock, systemRandom, type Clock, type Random } from '../../time/index.ts';

export interface DialectOptions {
  /** `max_tokens` for Anthropic when an OpenAI client names no limit; default 4,096, which every model takes. Tokens. */
  readonly defaultMaxTokens: number;
  /**
   * The field that carries Anthropic's `max_tokens` to an OpenAI-like provider; default `max_completion_tokens`, which
   * OpenAI's reasoning models insist on. Change it for servers that know only `max_tokens`.
   */
  readonly maxTokensField: 'max_completion_tokens' | 'max_tokens';
  /** Gives `created` of an OpenAI answer. */
  readonly clock: Clock;
  /** For ids that a provider left out. */
  readonly random: Random;
}

export const dialectDefaults: DialectOptions = Object.freeze({
  defaultMaxTokens: 4096,
  maxTokensField: 'max_completion_tokens',
  clock: systemClock,
  random: systemRandom,
});

/** Fills in the defaults. Throws `configuration_invalid`. */
export function resolveDialectOptions(options: Partial<DialectOptions>): DialectOptions {
  const resolved = { ...dialectDefaults, ...options };
  if (!Number.isSafeInteger(resolved.defaultMaxTokens) || resolved.defaultMaxTokens < 1) {
    throw new HoldfastError('configuration_invalid', {
      detail: `defaultMaxTokens must be a whole number above 0, not ${resolved.defaultMaxTokens}`,
    });
  }
  return Object.freeze(resolved);
}
