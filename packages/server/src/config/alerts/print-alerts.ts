import { sameValue } from '../same-value.ts';
import { Secret } from '../secret.ts';
import type { AlertConfiguration, AlertRuleConfiguration } from './alert-configuration.ts';
import { defaultAlertRules, ruleDefaults } from './default-rules.ts';

type Printed = readonly [path: readonly string[], value: unknown, secret?: boolean];

/** Channels and rules as the file says them, one value a line. */
export function* printAlerts({ channels, rules, ...settings }: AlertConfiguration): Iterable<Printed> {
  for (const channel of channels) {
    // What single settings make is printed with them: read again, it would be there twice.
    if (Object.values<unknown>(settings).some((value) => value instanceof Secret && (Object.values(channel) as unknown[]).includes(value)))
      continue;
    const path = ['channels', channel.name];
    yield [[...path, 'kind'], channel.kind];
    yield [[...path, 'minSeverity'], channel.minSeverity];
    switch (channel.kind) {
      case 'slack':
        yield [[...path, 'url'], 'set', true];
        break;
      case 'pagerduty':
        yield [[...path, 'routingKey'], 'set', true];
        if (channel.url !== undefined) yield [[...path, 'url'], channel.url];
        break;
      case 'webhook':
        yield [[...path, 'url'], 'set', true];
        yield [[...path, 'secret'], 'set', true];
        break;
      case 'email':
        yield [[...path, 'smtpUrl'], 'set', true];
        yield [[...path, 'from'], channel.from];
        yield [[...path, 'to'], channel.to];
    }
  }
  for (const rule of rules) yield* printRule(rule);
  for (const { name } of defaultAlertRules) if (!rules.some((rule) => rule.name === name)) yield [['rules', name], false];
}

function* printRule(rule: AlertRuleConfiguration): Iterable<Printed> {
  const path = ['rules', rule.name];
  const own = !defaultAlertRules.some(({ name }) => name === rule.name);
  if (own) yield [[...path, 'metric'], rule.metric];
  yield [[...path, rule.bad], rule.threshold];
  if (rule.resolveThreshold !== rule.threshold) yield [[...path, 'resolveAt'], rule.resolveThreshold];
  for (const name of ['windowMs', 'forMs', 'severity'] as const) yield [[...path, name], rule[name]];
  for (const name of ['resolveAfterMs', 'minCount', 'groupBy', 'where', 'labels'] as const)
    if (!sameValue(rule[name], ruleDefaults[name])) yield [[...path, name], rule[name]];
  if (own) {
    yield [[...path, 'summary'], rule.summary];
    if (rule.action !== '') yield [[...path, 'action'], rule.action];
  }
}
