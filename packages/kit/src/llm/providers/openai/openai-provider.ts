import type { Provider } from '../../spec/index.ts';
import { createHttpProvider, type HttpProviderOptions } from '../http/index.ts';
import { openaiProfile, type OpenaiProfileOptions } from './openai-profile.ts';

/** Kinds of provider that speak OpenAI's wire, each with what is particular to it. */
export const openaiKinds = Object.freeze({
  openai: { baseUrl: 'https://api.openai.com/v1', keyHeader: 'authorization', asksForUsage: true, operations: ['chat', 'embeddings'] },
  azure: { baseUrl: undefined, keyHeader: 'api-key', asksForUsage: true, operations: ['chat', 'embeddings'] },
  deepseek: { baseUrl: 'https://api.deepseek.com/v1', keyHeader: 'authorization', asksForUsage: true, operations: ['chat'] },
  gemini: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    keyHeader: 'authorization',
    asksForUsage: true,
    operations: ['chat', 'embeddings'],
  },
  // Mistral refuses fields that it does not know, and sends usage with the last chunk of every stream.
  mistral: { baseUrl: 'https://api.mistral.ai/v1', keyHeader: 'authorization', asksForUsage: false, operations: ['chat', 'embeddings'] },
  ollama: { baseUrl: 'http://127.0.0.1:11434/v1', keyHeader: 'authorization', asksForUsage: true, operations: ['chat', 'embeddings'] },
} as const satisfies Record<string, OpenaiProfileOptions & { readonly baseUrl: string | undefined }>);

export type OpenaiKind = keyof typeof openaiKinds;

export interface OpenaiProviderOptions extends Omit<HttpProviderOptions, 'kind' | 'baseUrl'> {
  /** Default `openai`. */
  readonly kind?: OpenaiKind;
  /** Default: the address of the kind. Azure has none and needs it. */
  readonly baseUrl?: string;
}

/** OpenAI, or any server that speaks its wire. */
export function createOpenaiProvider(options: OpenaiProviderOptions): Provider {
  const kind = options.kind ?? 'openai';
  const baseUrl = options.baseUrl ?? openaiKinds[kind].baseUrl;
  if (baseUrl === undefined) throw new TypeError(`a provider of kind ${kind} needs a baseUrl`);
  return createHttpProvider({ ...options, kind, baseUrl }, openaiProfile(openaiKinds[kind]));
}
