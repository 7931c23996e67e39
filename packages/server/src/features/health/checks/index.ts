export { createDiskCheck, spaceOfFolder, type DiskCheckOptions, type DiskSpace } from './disk-check.ts';
export { createLoadCheck } from './load-check.ts';
export { createProviderHealth, type ProviderHealth, type ProviderHealthOptions } from './provider-health.ts';
