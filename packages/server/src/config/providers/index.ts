export type { HttpProviderConfiguration, ProviderConfiguration, SandboxProviderConfiguration } from './provider-configuration.ts';
export { providerFields } from './provider-fields.ts';
export { allKinds, providerKinds, type HttpProviderKind, type ProviderKindTraits } from './provider-kinds.ts';
export { readProviders } from './read-providers.ts';
