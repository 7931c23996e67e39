import { flapWindowMs, type AlertBook, type AlertChanges } from './alert.ts';

/** The book after the changes. What nobody will decide by any more is left out of it. */
export function applyChanges(book: AlertBook, changes: AlertChanges, nowMs: number): AlertBook {
  const forgotten = new Set(changes.forgottenAlerts);
  const closed = new Set(changes.closedGroups);
  const observationKey = ({ fingerprint, instance }: { readonly fingerprint: string; readonly instance: string }): string =>
    JSON.stringify([fingerprint, instance]);
  const unseen = new Set(changes.forgottenObservations.map(observationKey));
  return {
    alerts: replace(book.alerts, changes.alerts, ({ id }) => id).filter(
      ({ id, resolvedMs }) => !forgotten.has(id) && (resolvedMs === null || resolvedMs > nowMs - flapWindowMs),
    ),
    observations: replace(book.observations, changes.observations, observationKey).filter(
      (observation) => !unseen.has(observationKey(observation)),
    ),
    groups: replace(book.groups, changes.groups, ({ key }) => key).filter(({ key }) => !closed.has(key)),
    silences: replace(book.silences, changes.silences, ({ id }) => id).filter(({ endsMs }) => endsMs > nowMs),
  };
}

function replace<Entry>(entries: readonly Entry[], changed: readonly Entry[], keyOf: (entry: Entry) => string): readonly Entry[] {
  if (changed.length === 0) return entries;
  const next = new Map(entries.map((entry) => [keyOf(entry), entry]));
  for (const entry of changed) next.set(keyOf(entry), entry);
  return [...next.values()];
}
