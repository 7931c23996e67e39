/** What is particular to a kind of provider, as far as its configuration goes. */
export interface ProviderKindTraits {
  /** Undefined where every customer has an address of their own. */
  readonly baseUrl: string | undefined;
  /** Whether a key is needed at `baseUrl`, or always where there is none. Elsewhere a server may do without. */
  readonly needsKey: boolean;
  /** Variable that creates a provider of this kind and name by itself. */
  readonly environment: string | undefined;
  readonly description: string;
}

/**
 * The addresses are those of the providers in the kit, written down again so that `holdfast --help` need not load an HTTP
 * client; a test compares them.
 */
export const providerKinds = Object.freeze({
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    needsKey: true,
    environment: 'OPENAI_API_KEY',
    description: 'OpenAI, or with a `baseUrl` any server that speaks its API (vLLM, LiteLLM, LM Studio, …).',
  },
  anthropic: {
    baseUrl: 'https://api.anthropic.com/v1',
    needsKey: true,
    environment: 'ANTHROPIC_API_KEY',
    description: "Anthropic's Messages API.",
  },
  azure: {
    baseUrl: undefined,
    needsKey: true,
    environment: undefined,
    description: 'Azure OpenAI; `baseUrl` is `https://<resource>.openai.azure.com/openai/v1`.',
  },
  deepseek: { baseUrl: 'https://api.deepseek.com/v1', needsKey: true, environment: 'DEEPSEEK_API_KEY', description: 'DeepSeek.' },
  mistral: { baseUrl: 'https://api.mistral.ai/v1', needsKey: true, environment: 'MISTRAL_API_KEY', description: 'Mistral.' },
  gemini: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    needsKey: true,
    environment: 'GEMINI_API_KEY',
    description: 'Google Gemini, by its OpenAI-compatible API.',
  },
  ollama: { baseUrl: 'http://127.0.0.1:11434/v1', needsKey: false, environment: undefined, description: 'Ollama. Needs no key.' },
} as const satisfies Readonly<Record<string, ProviderKindTraits>>);

/** Kinds that are reached over HTTP. */
export type HttpProviderKind = keyof typeof providerKinds;

export const allKinds: readonly string[] = [...Object.keys(providerKinds), 'sandbox'];

export function isHttpKind(kind: string): kind is HttpProviderKind {
  return Object.hasOwn(providerKinds, kind);
}
