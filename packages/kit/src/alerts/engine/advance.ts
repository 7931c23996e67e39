import type { AlertRule } from '../rules/index.ts';
import { flapWindowMs, maxResolveAfterMs, type Alert, type AlertBook, type AlertObservation } from './alert.ts';
import { alertGroupKey } from './fingerprint.ts';
import { isWorse } from './observe.ts';

export interface Advanced {
  /** Those that are other than before. */
  readonly changed: readonly Alert[];
  readonly forgotten: readonly string[];
  readonly fired: readonly Alert[];
  readonly resolved: readonly Alert[];
}

/**
 * Takes every alert one step on: inactive → pending → firing → resolved. `observations` are those in force, of all instances: the condition
 * holds as long as one of them sees it. `seenNow` are the fingerprints of those made by this look: an alert fires at the look of an instance that
 * sees it, not of one that sees it over while the word of another still stands.
 */
export function advance(
  book: Pick<AlertBook, 'alerts'>,
  observations: readonly AlertObservation[],
  seenNow: ReadonlySet<string>,
  rules: ReadonlyMap<string, AlertRule>,
  nowMs: number,
  createId: () => string,
): Advanced {
  const seen = worstByFingerprint(observations, rules);
  const changed: Alert[] = [];
  const forgotten: string[] = [];
  const fired: Alert[] = [];
  const resolved: Alert[] = [];
  const open = new Set<string>();

  for (const alert of book.alerts) {
    if (alert.status === 'resolved') continue;
    open.add(alert.fingerprint);
    const observation = seen.get(alert.fingerprint);
    const rule = rules.get(alert.rule);
    if (alert.status === 'pending') {
      if (!observation) forgotten.push(alert.id);
      // An instance whose configuration lacks the rule leaves the decision to those that have it.
      else if (rule) {
        const pending: Alert = { ...alert, value: observation.value };
        const next = seenNow.has(alert.fingerprint) ? pendingOrFiring(pending, rule, nowMs) : pending;
        changed.push(next);
        if (next.status === 'firing') fired.push(next);
      }
    } else if (observation) {
      // Severity and thresholds are of the rule as it is now: a reload changes them under an alert that fires.
      changed.push({ ...alert, ...(rule && termsOf(rule)), value: observation.value, clearMs: null });
    } else {
      const clearMs = alert.clearMs ?? nowMs;
      if (nowMs - clearMs < resolveAfterMs(alert, book.alerts, nowMs)) {
        if (alert.clearMs === null) changed.push({ ...alert, clearMs });
        continue;
      }
      const next: Alert = { ...alert, status: 'resolved', clearMs, resolvedMs: nowMs };
      changed.push(next);
      resolved.push(next);
    }
  }

  for (const [fingerprint, { rule: name, labels, value }] of seen) {
    const rule = rules.get(name);
    if (open.has(fingerprint) || !rule || !seenNow.has(fingerprint)) continue;
    const next = pendingOrFiring(
      {
        id: createId(),
        fingerprint,
        rule: name,
        labels,
        ...termsOf(rule),
        groupKey: alertGroupKey(rule, labels),
        status: 'pending',
        sinceMs: nowMs,
        firedMs: null,
        resolvedMs: null,
        clearMs: null,
        value,
        acknowledged: null,
      },
      rule,
      nowMs,
    );
    changed.push(next);
    if (next.status === 'firing') fired.push(next);
  }
  return { changed, forgotten, fired, resolved };
}

function pendingOrFiring(alert: Alert, rule: AlertRule, nowMs: number): Alert {
  return nowMs - alert.sinceMs >= rule.forMs ? { ...alert, status: 'firing', firedMs: nowMs } : alert;
}

function termsOf({
  severity,
  unit,
  threshold,
  bad,
  resolveAfterMs,
}: AlertRule): Pick<Alert, 'severity' | 'unit' | 'threshold' | 'bad' | 'resolveAfterMs'> {
  return { severity, unit, threshold, bad, resolveAfterMs };
}

/**
 * How long the condition has to be over: twice as long for each time that it has fired in the last hour before, up to half an hour. So
 * what goes on and off each minute fires some seven times in an hour and not thirty, and what is quiet for an hour begins anew.
 */
function resolveAfterMs(alert: Alert, alerts: readonly Alert[], nowMs: number): number {
  const before = alerts.filter(
    ({ fingerprint, id, firedMs }) =>
      fingerprint === alert.fingerprint && id !== alert.id && firedMs !== null && firedMs > nowMs - flapWindowMs,
  ).length;
  // What a rule says for itself beyond the bound stays as it is.
  return Math.max(alert.resolveAfterMs, Math.min(alert.resolveAfterMs * 2 ** before, maxResolveAfterMs));
}

function worstByFingerprint(
  observations: readonly AlertObservation[],
  rules: ReadonlyMap<string, AlertRule>,
): ReadonlyMap<string, AlertObservation> {
  const worst = new Map<string, AlertObservation>();
  for (const observation of observations) {
    const before = worst.get(observation.fingerprint);
    const rule = rules.get(observation.rule) ?? { bad: 'above' };
    if (!before || isWorse(rule, observation.value, before.value)) worst.set(observation.fingerprint, observation);
  }
  return worst;
}
