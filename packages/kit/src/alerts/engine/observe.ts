import type { AlertLabels, AlertRule, AlertSample } from '../rules/index.ts';
import { maxAlertsOfRule, type AlertBook, type AlertObservation } from './alert.ts';
import { alertFingerprint } from './fingerprint.ts';

/**
 * The values of a rule that are bad, worst first. One that belongs to a firing alert is judged by `resolveThreshold`: a value that
 * trembles about the threshold is one alert and not twenty.
 */
export function observe(
  rule: AlertRule,
  samples: readonly AlertSample[],
  book: Pick<AlertBook, 'alerts'>,
  seenBy: { readonly instance: string; readonly expiresMs: number },
): readonly AlertObservation[] {
  const firing = new Set(book.alerts.filter(({ status }) => status === 'firing').map(({ fingerprint }) => fingerprint));
  const found = new Map<string, AlertObservation>();
  for (const { labels: own, value, count = Number.POSITIVE_INFINITY } of samples) {
    if (!Number.isFinite(value) || count < rule.minCount || !matches(own, rule.where)) continue;
    const labels = { ...rule.labels, ...own };
    const fingerprint = alertFingerprint(rule.name, labels);
    if (!isBad(rule, value, firing.has(fingerprint) ? rule.resolveThreshold : rule.threshold)) continue;
    const before = found.get(fingerprint);
    if (before && !isWorse(rule, value, before.value)) continue;
    found.set(fingerprint, { ...seenBy, fingerprint, rule: rule.name, labels, value });
  }
  // Those that are open stay in, whatever else comes: a bound that pushes them out would resolve what is not over.
  return [...found.values()]
    .sort(
      (a, b) =>
        Number(firing.has(b.fingerprint)) - Number(firing.has(a.fingerprint)) ||
        (isWorse(rule, a.value, b.value) ? -1 : 1) ||
        (a.fingerprint < b.fingerprint ? -1 : 1),
    )
    .slice(0, maxAlertsOfRule);
}

function isBad({ bad }: AlertRule, value: number, threshold: number): boolean {
  return bad === 'above' ? value > threshold : value < threshold;
}

export function isWorse({ bad }: Pick<AlertRule, 'bad'>, a: number, b: number): boolean {
  return bad === 'above' ? a > b : a < b;
}

function matches(labels: AlertLabels, wanted: AlertLabels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
