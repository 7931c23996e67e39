export type { ConfigurationFile } from './configuration-file.ts';
export { readConfigurationFile } from './read-file.ts';
export { pathToText, type SettingPath } from './setting-path.ts';
