import type { AlertRule, AlertSample } from '../rules/index.ts';
import { advance } from './advance.ts';
import { noAlertChanges, type Alert, type AlertBook, type AlertChanges, type AlertObservation } from './alert.ts';
import { notify, notifyAcknowledged, type AlertRoute } from './notify.ts';
import { observe } from './observe.ts';

/** What an evaluation knows beside the book. */
export interface AlertTerms {
  readonly nowMs: number;
  /** By name. */
  readonly rules: ReadonlyMap<string, AlertRule>;
  readonly routes: readonly AlertRoute[];
  readonly repeatMs: number;
  readonly deployment: string;
  readonly createId: () => string;
}

export interface AlertReadings {
  /** Of this instance, by the name of the rule. A rule that is absent could not be read: what was seen of it stays until it expires. */
  readonly samples: ReadonlyMap<string, readonly AlertSample[]>;
  readonly instance: string;
  /** How long what is seen now counts, in milliseconds: longer than the time until the next look. */
  readonly ttlMs: number;
}

/** What became of alerts, to be announced once it is written. */
export interface AlertTransition {
  readonly change: 'fired' | 'resolved' | 'acknowledged';
  readonly alert: Alert;
}

export interface AlertUpdate {
  readonly changes: AlertChanges;
  readonly transitions: readonly AlertTransition[];
}

/** One look of one instance: what it sees, what follows for the alerts of all, and what is to be told. Without side effects. */
export function evaluate(book: AlertBook, terms: AlertTerms, readings: AlertReadings): AlertUpdate {
  const { nowMs, rules, createId } = terms;
  const { instance, ttlMs, samples } = readings;
  const observations: AlertObservation[] = [];
  for (const [name, values] of samples) {
    const rule = rules.get(name);
    if (rule) observations.push(...observe(rule, values, book, { instance, expiresMs: nowMs + ttlMs }));
  }
  // What this instance saw by a rule that it no longer has it does not see any more: whoever has the rule decides.
  const replaced = ({ expiresMs, instance: by, rule }: AlertObservation): boolean =>
    expiresMs <= nowMs || (by === instance && (samples.has(rule) || !rules.has(rule)));
  const kept = book.observations.filter((observation) => !replaced(observation));
  const seen = new Set(observations.map(({ fingerprint }) => fingerprint));
  const gone = book.observations.filter(
    (observation) => replaced(observation) && !(observation.instance === instance && seen.has(observation.fingerprint)),
  );

  const { changed, forgotten, fired, resolved } = advance(book, [...kept, ...observations], seen, rules, nowMs, createId);
  const told = notify({ ...terms, alerts: withChanged(book.alerts, changed), groups: book.groups, silences: book.silences });
  return {
    changes: {
      ...noAlertChanges,
      alerts: changed,
      forgottenAlerts: forgotten,
      observations,
      forgottenObservations: gone.map(({ fingerprint, instance: by }) => ({ fingerprint, instance: by })),
      groups: told.groups,
      closedGroups: told.closed,
      deliveries: told.deliveries,
    },
    transitions: [
      ...fired.map((alert) => ({ change: 'fired' as const, alert })),
      ...resolved.map((alert) => ({ change: 'resolved' as const, alert })),
    ],
  };
}

/**
 * Somebody takes an alert up: it is not told again while it lasts, and its end is. Undefined when there is no such alert, or it is over.
 * Repeating it changes nothing.
 */
export function acknowledge(
  book: AlertBook,
  terms: Pick<AlertTerms, 'nowMs' | 'rules' | 'deployment' | 'routes' | 'createId'>,
  request: { readonly id: string; readonly by: string | null; readonly note: string | null },
): (AlertUpdate & { readonly alert: Alert }) | undefined {
  const alert = book.alerts.find(({ id }) => id === request.id);
  if (alert?.status !== 'firing') return undefined;
  if (alert.acknowledged !== null) return { alert, changes: noAlertChanges, transitions: [] };
  const next: Alert = { ...alert, acknowledged: { atMs: terms.nowMs, by: request.by, note: request.note } };
  const group = book.groups.find(({ key, told }) => key === alert.groupKey && told.includes(alert.id));
  return {
    alert: next,
    changes: { ...noAlertChanges, alerts: [next], deliveries: group ? notifyAcknowledged(terms, group, next) : [] },
    transitions: [{ change: 'acknowledged', alert: next }],
  };
}

function withChanged(alerts: readonly Alert[], changed: readonly Alert[]): readonly Alert[] {
  const next = new Map(alerts.map((alert) => [alert.id, alert]));
  for (const alert of changed) next.set(alert.id, alert);
  return [...next.values()];
}
