import type { SandboxSettings } from '@holdfast/kit/llm/providers/sandbox';
import type { Secret } from '../secret.ts';
import type { HttpProviderKind } from './provider-kinds.ts';

export type ProviderConfiguration = HttpProviderConfiguration | SandboxProviderConfiguration;

export interface HttpProviderConfiguration {
  /** The first part of `provider/model`. */
  readonly name: string;
  readonly kind: HttpProviderKind;
  /** Absolute, http or https, without credentials, query and slash at the end. */
  readonly baseUrl: string;
  /** Used in turn. Empty for a server that asks for none. */
  readonly apiKeys: readonly Secret[];
  /** Is told the trace context of its requests. */
  readonly traceContext: boolean;
}

export interface SandboxProviderConfiguration {
  readonly name: string;
  readonly kind: 'sandbox';
  /** What the kit's sandbox takes. */
  readonly options: {
    readonly settings: Partial<SandboxSettings>;
    /** By the name of a model, where it differs from `settings`. */
    readonly models: Readonly<Record<string, Partial<SandboxSettings>>>;
  };
}
