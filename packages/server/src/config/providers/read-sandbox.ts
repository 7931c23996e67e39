import type { FileMap, Sources } from '../sources.ts';
import type { SandboxProviderConfiguration } from './provider-configuration.ts';

export function readSandboxProvider(_sources: Sources, name: string, _entry: FileMap): SandboxProviderConfiguration {
  return { name, kind: 'sandbox', options: {} };
}
