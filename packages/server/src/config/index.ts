export {
  alertMetrics,
  channelFields,
  defaultAlertRules,
  ruleFields,
  ruleMaps,
  type AlertChannelConfiguration,
  type AlertConfiguration,
  type AlertMetricName,
  type AlertRuleConfiguration,
} from './alerts/index.ts';
export {
  compareConfigurations,
  configurationDigest,
  reloadableParts,
  restartRequired,
  type ConfigurationChanges,
  type NameChanges,
} from './compare.ts';
export type { Configuration } from './configuration.ts';
export { openConfigurationSource, type ConfigurationSource } from './configuration-source.ts';
export { readEnvironment, readRuntimeDir, type Variables } from './environment.ts';
export { faultLine, type ConfigurationFault } from './faults.ts';
export { loadConfiguration, type LoadOptions } from './load.ts';
export type { CallLimitConfiguration, ModelConfiguration, ModelTarget } from './models/index.ts';
export type { Origin } from './origin.ts';
export { configurationEntries, printConfiguration, type ConfigurationEntry } from './print.ts';
export type {
  HttpProviderConfiguration,
  HttpProviderKind,
  ProviderConfiguration,
  SandboxProviderConfiguration,
} from './providers/index.ts';
export { parseKeyValueList } from './key-value-list.ts';
export { sameValue } from './same-value.ts';
export type {
  EndpointLimitConfiguration,
  EndpointSubject,
  LevelConfiguration,
  RateLimitConfiguration,
  RateLimitLevelName,
} from './rate-limits/index.ts';
export { Secret } from './secret.ts';
export { readSmtpUrl } from './smtp-url.ts';
export type { Overrides } from './sources.ts';

// What the reference page is generated from.
export type { Field } from './fields.ts';
export {
  breakerFields,
  bulkheadFields,
  callLimitFields,
  hedgeFields,
  holdBackField,
  limitFields,
  retryFields,
  strategyField,
  weightField,
} from './models/index.ts';
export { aboveField, priceFields, rateFields, sinceField } from './prices/index.ts';
export { providerFields, providerKinds, type ProviderKindTraits } from './providers/index.ts';
export { endpointExemptField, endpointPerField, levelFields, levelVariables, tierFields } from './rate-limits/index.ts';
export { secretKeys } from './setting.ts';
export { settingEntries, type SettingEntry } from './settings.ts';
