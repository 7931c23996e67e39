export { checkSandboxOptions, type SandboxProviderOptions } from './options.ts';
export { createSandboxProvider } from './sandbox-provider.ts';
export { sandboxDefaults, sandboxSettingNames, type SandboxFault, type SandboxSettings } from './settings.ts';
