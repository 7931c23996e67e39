import { HoldfastError } from '../../errors/index.ts';
import { alertSeverities, alertUnits, type AlertRule } from './rule.ts';

/** What a rule has when it does not say. */
export const alertRuleDefaults = Object.freeze({
  windowMs: 300_000,
  bad: 'above',
  forMs: 60_000,
  resolveAfterMs: 60_000,
  minCount: 1,
  severity: 'warning',
  labels: Object.freeze({}),
  where: Object.freeze({}),
  groupBy: Object.freeze([]) as readonly string[],
  unit: 'count',
  action: '',
  look: Object.freeze([]) as readonly string[],
} as const);

export type AlertRuleOptions = Pick<AlertRule, 'name' | 'metric' | 'threshold' | 'summary'> & Partial<AlertRule>;

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
/** As Prometheus has them. */
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/;
const maxDurationMs = 31 * 86_400_000;

/** A rule with its defaults, checked and frozen. Throws `configuration_invalid` with every fault in `details`. */
export function defineAlertRule(options: AlertRuleOptions): AlertRule {
  const rule: AlertRule = { ...alertRuleDefaults, resolveThreshold: options.threshold, ...withoutUndefined(options) } as AlertRule;
  const faults = [...faultsOf(rule)];
  if (faults.length > 0) {
    const details = faults.map((fault) => `alert rule ${JSON.stringify(rule.name)}: ${fault}`);
    throw new HoldfastError('configuration_invalid', { detail: details.join('; '), details });
  }
  return Object.freeze(rule);
}

function* faultsOf(rule: AlertRule): Iterable<string> {
  if (typeof rule.name !== 'string' || !namePattern.test(rule.name))
    yield 'its name must be made of small letters, digits and dashes, begin with a letter, and have 63 characters at most';
  if (typeof rule.metric !== 'string' || rule.metric === '') yield 'metric must name what is measured';
  if (rule.bad !== 'above' && rule.bad !== 'below') yield `bad must be 'above' or 'below', not ${String(rule.bad)}`;
  for (const name of ['threshold', 'resolveThreshold'] as const)
    if (!Number.isFinite(rule[name])) yield `${name} must be a number, not ${String(rule[name])}`;
  if (rule.bad === 'above' ? rule.resolveThreshold > rule.threshold : rule.resolveThreshold < rule.threshold)
    yield `resolveThreshold must not be on the bad side of the threshold: ${rule.resolveThreshold} is ${rule.bad} ${rule.threshold}`;
  for (const name of ['windowMs', 'forMs', 'resolveAfterMs'] as const)
    if (!(Number.isFinite(rule[name]) && rule[name] >= (name === 'windowMs' ? 1 : 0) && rule[name] <= maxDurationMs))
      yield `${name} must be a number of milliseconds up to ${maxDurationMs}, not ${String(rule[name])}`;
  if (!(Number.isInteger(rule.minCount) && rule.minCount >= 0)) yield `minCount must be a whole number, not ${String(rule.minCount)}`;
  if (!alertSeverities.includes(rule.severity)) yield `severity must be one of ${alertSeverities.join(', ')}`;
  if (!alertUnits.includes(rule.unit)) yield `unit must be one of ${alertUnits.join(', ')}`;
  const names = [...Object.keys(rule.labels), ...Object.keys(rule.where), ...rule.groupBy];
  for (const name of names) if (!labelPattern.test(name)) yield `${JSON.stringify(name)} cannot be the name of a label`;
}

function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
