export type { AlertChannelConfiguration, AlertConfiguration, AlertRuleConfiguration } from './alert-configuration.ts';
export { alertMetrics, type AlertMetricName } from './alert-metrics.ts';
export { channelFields } from './channel-fields.ts';
export { defaultAlertRules } from './default-rules.ts';
export { printAlerts } from './print-alerts.ts';
export { readAlerts } from './read-alerts.ts';
export { ruleFields, ruleMaps } from './rule-fields.ts';
