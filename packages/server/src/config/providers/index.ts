export type { HttpProviderConfiguration, ProviderConfiguration, SandboxProviderConfiguration } from './provider-configuration.ts';
export { providerKinds, type HttpProviderKind } from './provider-kinds.ts';
export { readProviders } from './read-providers.ts';
