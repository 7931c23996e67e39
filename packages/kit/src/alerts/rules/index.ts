export { alertRuleDefaults, defineAlertRule, type AlertRuleOptions } from './define-rule.ts';
export {
  alertSeverities,
  alertUnits,
  type AlertLabels,
  type AlertRule,
  type AlertSample,
  type AlertSeverity,
  type AlertUnit,
} from './rule.ts';
