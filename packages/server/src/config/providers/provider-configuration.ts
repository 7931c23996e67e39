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
}

export type SandboxSettings = Readonly<Record<string, unknown>>;

export interface SandboxProviderConfiguration {
  readonly name: string;
  readonly kind: 'sandbox';
  readonly options: SandboxSettings;
}
