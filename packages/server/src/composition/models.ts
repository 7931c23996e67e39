import { withDialects } from '@holdfast/kit/llm/dialects';
import { createAnthropicProvider } from '@holdfast/kit/llm/providers/anthropic';
import { createOpenaiProvider } from '@holdfast/kit/llm/providers/openai';
import { createSandboxProvider } from '@holdfast/kit/llm/providers/sandbox';
import { createTransport, type Transport } from '@holdfast/kit/llm/transport';
import type { Provider } from '@holdfast/kit/llm';
import type { Clock, Random } from '@holdfast/kit/time';
import type { Configuration, ProviderConfiguration } from '../config/index.ts';
import { createModelCatalog, type ModelCatalog } from '../model/index.ts';
import type { Closers } from './closers.ts';

export interface ModelsOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
}

/** The providers and the names that clients may ask for. */
export function openModels({ configuration, clock, random, closers }: ModelsOptions): ModelCatalog {
  const transport = createTransport({
    allowedOrigins: configuration.providers.flatMap((provider) => (provider.kind === 'sandbox' ? [] : [new URL(provider.baseUrl).origin])),
  });
  closers.add('transport', () => transport.close());
  const providers = new Map<string, Provider>();
  for (const each of configuration.providers) {
    const provider = withDialects(createProvider(each, transport, clock, random), { clock, random, maxTokensField: maxTokensField(each) });
    closers.add(`provider ${each.name}`, () => provider.close());
    providers.set(each.name, provider);
  }
  const models = new Map(
    configuration.models.map((model) => [
      model.name,
      { targets: model.targets.map((target) => `${target.provider}/${target.model}`), limits: model.limits },
    ]),
  );
  return createModelCatalog({ providers, models, clock });
}

/** OpenAI's reasoning models refuse the older name; servers that only speak its wire may know no other. */
function maxTokensField({ kind }: ProviderConfiguration): 'max_completion_tokens' | 'max_tokens' {
  return kind === 'openai' || kind === 'azure' ? 'max_completion_tokens' : 'max_tokens';
}

function createProvider(configuration: ProviderConfiguration, transport: Transport, clock: Clock, random: Random): Provider {
  const { name } = configuration;
  if (configuration.kind === 'sandbox') return createSandboxProvider({ name, clock, random, ...configuration.options });
  const { kind, baseUrl } = configuration;
  const common = { name, baseUrl, transport, clock, apiKeys: configuration.apiKeys.map((key) => key.reveal()) };
  return kind === 'anthropic' ? createAnthropicProvider(common) : createOpenaiProvider({ ...common, kind });
}
