import { withDialects } from '@holdfast/kit/llm/dialects';
import { createAnthropicProvider } from '@holdfast/kit/llm/providers/anthropic';
import { createOpenaiProvider } from '@holdfast/kit/llm/providers/openai';
import { createSandboxProvider } from '@holdfast/kit/llm/providers/sandbox';
import type { Transport } from '@holdfast/kit/llm/transport';
import type { Provider } from '@holdfast/kit/llm';
import type { Clock, Random } from '@holdfast/kit/time';
import { sameValue, type ProviderConfiguration } from '../config/index.ts';

export interface ProviderBookOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  /** A provider failed to close; nothing else depends on it. */
  readonly onCloseFailure: (name: string, error: unknown) => void;
}

interface HeldProvider {
  readonly configuration: ProviderConfiguration;
  readonly provider: Provider;
  holders: number;
  close(): Promise<void>;
}

/** Providers by name, as one configuration has them. */
export interface ProviderSet {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Gives them up. Those that no other set holds are closed, and their origins are no longer allowed. */
  release(): void;
}

/** Makes providers, and hands the same one out again while its configuration stays the same: its connections stay open. */
export class ProviderBook {
  readonly #options: ProviderBookOptions;
  readonly #held = new Set<HeldProvider>();

  constructor(options: ProviderBookOptions) {
    this.#options = options;
  }

  take(configurations: readonly ProviderConfiguration[]): ProviderSet {
    const taken: HeldProvider[] = [];
    const release = (): void => {
      for (const each of taken.splice(0)) this.#giveUp(each);
    };
    try {
      for (const configuration of configurations) taken.push(this.#take(configuration));
    } catch (error) {
      release();
      throw error;
    }
    return { providers: new Map(taken.map(({ provider, configuration }) => [configuration.name, provider])), release };
  }

  #take(configuration: ProviderConfiguration): HeldProvider {
    for (const each of this.#held) {
      if (each.configuration.name !== configuration.name || !sameValue(each.configuration, configuration)) continue;
      each.holders++;
      return each;
    }
    const made = this.#make(configuration);
    this.#held.add(made);
    return made;
  }

  #make(configuration: ProviderConfiguration): HeldProvider {
    const { transport, clock, random } = this.#options;
    const inner = createProvider(configuration, transport, clock, random);
    const provider = withDialects(inner, { clock, random, maxTokensField: maxTokensField(configuration) });
    const disallow = configuration.kind === 'sandbox' ? undefined : transport.allow(new URL(configuration.baseUrl).origin);
    return {
      configuration,
      provider,
      holders: 1,
      async close() {
        await Promise.all([provider.close(), disallow?.()]);
      },
    };
  }

  #giveUp(held: HeldProvider): void {
    if (--held.holders > 0) return;
    this.#held.delete(held);
    held.close().catch((error: unknown) => this.#options.onCloseFailure(held.configuration.name, error));
  }
}

/** OpenAI's reasoning models refuse the older name; servers that only speak its wire may know no other. */
function maxTokensField({ kind }: ProviderConfiguration): 'max_completion_tokens' | 'max_tokens' {
  return kind === 'openai' || kind === 'azure' ? 'max_completion_tokens' : 'max_tokens';
}

function createProvider(configuration: ProviderConfiguration, transport: Transport, clock: Clock, random: Random): Provider {
  const { name } = configuration;
  if (configuration.kind === 'sandbox') return createSandboxProvider({ name, clock, random, ...configuration.options });
  const { kind, baseUrl, traceContext } = configuration;
  const common = { name, baseUrl, traceContext, transport, clock, apiKeys: configuration.apiKeys.map((key) => key.reveal()) };
  return kind === 'anthropic' ? createAnthropicProvider(common) : createOpenaiProvider({ ...common, kind });
}
