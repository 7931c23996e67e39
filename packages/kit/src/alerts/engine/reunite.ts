import { noAlertChanges, type Alert, type AlertBook, type AlertChanges, type AlertDelivery } from './alert.ts';

/** An instance that went on by itself for a while. */
export interface LoneInstance {
  readonly instance: string;
  /** What it made of the shared book that it saw last. */
  readonly book: AlertBook;
  /** What it could not deliver. */
  readonly pending: readonly AlertDelivery[];
}

/**
 * What an instance writes that could not reach the shared book: so that what it has told is not told again, and what it has told the end of is over. Where
 * both have an open alert of a condition, the shared one stays with the earlier beginning, unless nobody else sees it; what others have brought to
 * an end since is not begun anew.
 */
export function reunite(shared: AlertBook, { instance, book: own, pending }: LoneInstance): AlertChanges {
  const ownById = new Map(own.alerts.map((alert) => [alert.id, alert]));
  const sharedIds = new Set(shared.alerts.map(({ id }) => id));
  const sharedOpen = new Map(
    shared.alerts
      .filter((alert) => isOpen(alert) && ownById.get(alert.id)?.status !== 'resolved')
      .map((alert) => [alert.fingerprint, alert]),
  );
  const seenByOthers = new Set(shared.observations.filter((seen) => seen.instance !== instance).map(({ fingerprint }) => fingerprint));
  const alerts = new Map<string, Alert>();
  // What was pending, was over in the meantime, and nobody else sees: if it comes back, it begins anew.
  const forgotten = shared.alerts
    .filter(({ id, status, fingerprint }) => status === 'pending' && !ownById.has(id) && !seenByOthers.has(fingerprint))
    .map(({ id }) => id);
  /** By which id the shared book knows an alert of ours. */
  const known = new Map<string, string>();

  for (const alert of own.alerts) {
    const other = sharedOpen.get(alert.fingerprint);
    if (!isOpen(alert)) {
      // Its end, or history that counts when it flaps.
      if (!sharedIds.has(alert.id) || shared.alerts.some((each) => each.id === alert.id && isOpen(each))) alerts.set(alert.id, alert);
    } else if (other === undefined) {
      if (wasResolvedSince(shared, alert)) continue;
      known.set(alert.id, alert.id);
      alerts.set(alert.id, alert);
    } else if (forgotten.includes(other.id)) {
      known.set(alert.id, alert.id);
      alerts.set(alert.id, alert);
    } else {
      known.set(alert.id, other.id);
      alerts.set(other.id, united(other, alert, seenByOthers.has(alert.fingerprint)));
    }
  }

  const sharedGroups = new Map(shared.groups.map((group) => [group.key, group]));
  const groups = own.groups.flatMap((group) => {
    const other = sharedGroups.get(group.key);
    const told = group.told.flatMap((id) => known.get(id) ?? []);
    if (told.length === 0) return [];
    return {
      ...group,
      told: [...new Set([...(other?.told ?? []), ...told])],
      channels: [...new Set([...(other?.channels ?? []), ...group.channels])],
      toldMs: Math.max(group.toldMs, other?.toldMs ?? 0),
    };
  });
  // Of groups that we have told the end of.
  const closed = shared.groups.filter(
    ({ key, told }) =>
      told.length > 0 && !own.groups.some((group) => group.key === key) && told.every((id) => ownById.get(id)?.status === 'resolved'),
  );
  const ofOwn = own.observations.filter((seen) => seen.instance === instance);
  return {
    ...noAlertChanges,
    alerts: [...alerts.values()],
    forgottenAlerts: forgotten,
    observations: ofOwn,
    forgottenObservations: shared.observations.filter(
      (seen) => seen.instance === instance && !ofOwn.some(({ fingerprint }) => fingerprint === seen.fingerprint),
    ),
    groups,
    closedGroups: closed.map(({ key }) => key),
    deliveries: pending,
  };
}

function isOpen({ status }: Alert): boolean {
  return status !== 'resolved';
}

function united(shared: Alert, own: Alert, isSeenByOthers: boolean): Alert {
  const firedMs = shared.firedMs ?? own.firedMs;
  return {
    ...shared,
    status: firedMs === null ? 'pending' : 'firing',
    firedMs,
    sinceMs: Math.min(shared.sinceMs, own.sinceMs),
    clearMs: isSeenByOthers || own.clearMs === null ? null : Math.max(own.clearMs, shared.clearMs ?? 0),
    value: own.value,
    acknowledged: shared.acknowledged ?? own.acknowledged,
  };
}

/** By another instance, which had the same trouble, reached the book before us and has seen the end of it. */
function wasResolvedSince(shared: AlertBook, { fingerprint, sinceMs }: Alert): boolean {
  return shared.alerts.some((alert) => alert.fingerprint === fingerprint && alert.resolvedMs !== null && alert.resolvedMs >= sinceMs);
}
