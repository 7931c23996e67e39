export { withLocalShare, type LocalShareDriver, type LocalShareState } from './local-share-driver.ts';
export { localShareDefaults, type LocalShareOptions } from './options.ts';
export type { SharedRateLimitDriver } from './shared-driver.ts';
