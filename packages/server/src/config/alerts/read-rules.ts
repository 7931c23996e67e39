import { showName, showReceived } from '../faults.ts';
import { readField, refuseUnknownKeys } from '../fields.ts';
import { pathToText, type SettingPath } from '../file/index.ts';
import { fileFault, isFileMap, type FileMap, type Sources } from '../sources.ts';
import type { AlertRuleConfiguration } from './alert-configuration.ts';
import { alertMetrics } from './alert-metrics.ts';
import { completeRule, defaultAlertRules } from './default-rules.ts';
import { ruleFields, ruleMaps } from './rule-fields.ts';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const root = ['alerts', 'rules'] as const;
const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
const maxRules = 200;
const maxWindowMs = 3_600_000;

/** The rules of the package with what the file says of them, then those of the file. */
export function readRules(sources: Sources, given: FileMap): readonly AlertRuleConfiguration[] {
  const rules = new Map(defaultAlertRules.map((rule) => [rule.name, rule]));
  const entries = Object.entries(given);
  if (entries.length > maxRules) fileFault(sources, root, `there are ${entries.length} rules, and ${maxRules} at most may be.`);
  for (const [name, own] of entries.slice(0, maxRules)) {
    const path = [...root, name];
    if (!namePattern.test(name)) {
      fileFault(sources, path, 'the name of a rule is made of small letters, digits and dashes, up to 63, and begins with a letter.');
      continue;
    }
    sources.origins.set(pathToText(path), { source: 'file', text: sources.file!.lineOf(path) });
    if (own === false) rules.delete(name);
    else {
      const rule = readRule(sources, own, name, rules.get(name));
      if (rule) rules.set(name, rule);
    }
  }
  return [...rules.values()];
}

function readRule(
  sources: Sources,
  given: unknown,
  rule: string,
  base: AlertRuleConfiguration | undefined,
): AlertRuleConfiguration | undefined {
  const path: SettingPath = [...root, rule];
  if (!isFileMap(given)) {
    fileFault(sources, path, `expected a map such as { above: 0.1 }, or false, received ${showReceived(given)}.`);
    return undefined;
  }
  const known = [...Object.keys(ruleFields), ...Object.keys(ruleMaps)];
  refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map: given, path, known });
  const field = <Name extends keyof typeof ruleFields>(name: Name) =>
    readField(sources, given, path, name, ruleFields[name] as never) as
      | ReturnType<(typeof ruleFields)[Name]['type']['schema']['parse']>
      | undefined;

  const metric = field('metric') ?? base?.metric;
  const [above, below] = [field('above'), field('below')];
  const resolveAt = field('resolveAt');
  const summary = field('summary') ?? base?.summary;
  if (above !== undefined && below !== undefined) fileFault(sources, path, 'above and below are set: a rule has one threshold.');
  if (metric === undefined && given['metric'] === undefined)
    fileFault(sources, path, 'metric is missing: no rule of this name comes with the package.');
  if (base === undefined && above === undefined && below === undefined && given['above'] === undefined && given['below'] === undefined)
    fileFault(sources, path, 'it has no threshold.', 'Give it `above` or `below`.');
  if (summary === undefined && given['summary'] === undefined) fileFault(sources, path, 'summary is missing: what is wrong when it fires?');
  const threshold = above ?? below ?? base?.threshold;
  if (metric === undefined || threshold === undefined || summary === undefined) return undefined;

  const bad = above !== undefined ? 'above' : below !== undefined ? 'below' : (base?.bad ?? alertMetrics[metric].bad);
  // Another threshold leaves the other end of the old one behind.
  const resolveThreshold = resolveAt ?? (above === undefined && below === undefined ? base?.resolveThreshold : undefined) ?? threshold;
  if (bad === 'above' ? resolveThreshold > threshold : resolveThreshold < threshold)
    fileFault(
      sources,
      [...path, 'resolveAt'],
      `it is ${bad} the threshold (${resolveThreshold}, ${threshold}), so the alert would be over before it began.`,
    );
  const own: Mutable<Partial<AlertRuleConfiguration>> = {};
  for (const name of ['windowMs', 'forMs', 'resolveAfterMs', 'minCount', 'severity', 'groupBy', 'action'] as const) {
    const value = field(name);
    if (value !== undefined) Object.assign(own, { [name]: value });
  }
  if ((own.windowMs ?? 0) > maxWindowMs && !metric.endsWith('spend_usd'))
    fileFault(sources, [...path, 'windowMs'], `values of ${metric} are kept for an hour (${maxWindowMs}).`);
  for (const name of Object.keys(ruleMaps) as (keyof typeof ruleMaps)[]) {
    const labels = readLabels(sources, given, [...path, name]);
    if (labels) own[name] = labels;
  }
  for (const label of [...(own.groupBy ?? []), ...Object.keys(own.where ?? {})])
    if (!(alertMetrics[metric].labels as readonly string[]).includes(label) && own.labels?.[label] === undefined)
      fileFault(sources, path, `values of ${metric} have no label ${showName(label)}.`, labelsHint(alertMetrics[metric].labels));
  return completeRule({ ...base, ...own, name: rule, metric, bad, threshold, resolveThreshold, summary });
}

function labelsHint(labels: readonly string[]): string {
  return labels.length === 0 ? 'They have none.' : `They have ${labels.join(', ')}.`;
}

function readLabels(sources: Sources, map: FileMap, path: SettingPath): Readonly<Record<string, string>> | undefined {
  const given = map[path.at(-1)!];
  if (given === undefined) return undefined;
  const right =
    isFileMap(given) &&
    Object.entries(given).every(
      ([name, value]) => /^[a-zA-Z_]\w{0,62}$/.test(name) && typeof value === 'string' && /^[^\p{Cc}]{1,200}$/u.test(value),
    );
  if (right) return given as Readonly<Record<string, string>>;
  fileFault(sources, path, `expected a map of labels such as { model: fast }, received ${showReceived(given)}.`);
  return undefined;
}
