import { noAlertChanges, type Alert, type AlertBook, type AlertChanges, type AlertDelivery } from './alert.ts';

/**
 * What an instance writes that could not reach the shared book for a while and went on by itself: so that what it has told is not told again, and
 * what it has told the end of is over. Where both have an open alert of a condition, the shared one stays, with the earlier beginning; what
 * others have brought to an end since is not begun anew.
 */
export function reunite(shared: AlertBook, own: AlertBook, pending: readonly AlertDelivery[]): AlertChanges {
  const sharedOpen = new Map(shared.alerts.filter(isOpen).map((alert) => [alert.fingerprint, alert]));
  const sharedGroups = new Map(shared.groups.map((group) => [group.key, group]));
  const alerts = new Map<string, Alert>();
  /** By which id the shared book knows an alert of ours. */
  const known = new Map<string, string>();

  for (const alert of own.alerts) {
    const other = sharedOpen.get(alert.fingerprint);
    if (isOpen(alert)) {
      if (other) {
        known.set(alert.id, other.id);
        if (other.id !== alert.id || alert.status !== other.status) alerts.set(other.id, united(other, alert));
      } else if (!wasResolvedSince(shared, alert)) {
        known.set(alert.id, alert.id);
        alerts.set(alert.id, alert);
      }
    } else if (other && other.sinceMs <= alert.resolvedMs! && (other.id === alert.id || other.status === 'firing')) {
      alerts.set(other.id, {
        ...other,
        status: 'resolved',
        clearMs: alert.clearMs,
        resolvedMs: alert.resolvedMs,
        firedMs: other.firedMs ?? alert.firedMs,
      });
    } else if (!shared.alerts.some(({ id }) => id === alert.id)) alerts.set(alert.id, alert);
  }

  const groups = own.groups.flatMap((group) => {
    const other = sharedGroups.get(group.key);
    const told = group.told.flatMap((id) => known.get(id) ?? []);
    if (told.length === 0) return [];
    return [
      {
        ...group,
        told: [...new Set([...(other?.told ?? []), ...told])],
        channels: [...new Set([...(other?.channels ?? []), ...group.channels])],
        toldMs: Math.max(group.toldMs, other?.toldMs ?? 0),
      },
    ];
  });
  // Of groups that we have told the end of.
  const closed = shared.groups.filter(
    ({ key, told }) =>
      !own.groups.some((group) => group.key === key) &&
      told.length > 0 &&
      told.every((id) => {
        const alert = alerts.get(id) ?? shared.alerts.find((other) => other.id === id);
        return alert === undefined || alert.status === 'resolved';
      }),
  );
  return { ...noAlertChanges, alerts: [...alerts.values()], groups, closedGroups: closed.map(({ key }) => key), deliveries: pending };
}

function isOpen({ status }: Alert): boolean {
  return status !== 'resolved';
}

function united(shared: Alert, own: Alert): Alert {
  const firedMs = shared.firedMs ?? own.firedMs;
  return {
    ...shared,
    status: firedMs === null ? 'pending' : 'firing',
    firedMs,
    sinceMs: Math.min(shared.sinceMs, own.sinceMs),
    value: own.value,
    acknowledged: shared.acknowledged ?? own.acknowledged,
  };
}

/** By another instance, which had the same trouble, reached the book before us and has seen the end of it. */
function wasResolvedSince(shared: AlertBook, { fingerprint, sinceMs }: Alert): boolean {
  return shared.alerts.some((alert) => alert.fingerprint === fingerprint && alert.resolvedMs !== null && alert.resolvedMs >= sinceMs);
}
