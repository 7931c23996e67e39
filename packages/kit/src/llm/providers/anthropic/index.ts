import type { Provider } from '../../spec/index.ts';
import { createHttpProvider, type HttpProviderOptions } from '../http/index.ts';
import { anthropicProfile } from './anthropic-profile.ts';

export interface AnthropicProviderOptions extends Omit<HttpProviderOptions, 'kind' | 'baseUrl'> {
  /** Default `https://api.anthropic.com/v1`. */
  readonly baseUrl?: string;
}

/** Anthropic's Messages API. */
export function createAnthropicProvider(options: AnthropicProviderOptions): Provider {
  return createHttpProvider(
    { ...options, kind: 'anthropic', baseUrl: options.baseUrl ?? 'https://api.anthropic.com/v1' },
    anthropicProfile,
  );
}
