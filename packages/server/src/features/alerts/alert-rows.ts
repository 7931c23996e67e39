import type { Selectable } from 'kysely';
import type {
  Alert,
  AlertAcknowledgement,
  AlertDelivery,
  AlertGroup,
  AlertLabels,
  AlertMatcher,
  AlertNotification,
  AlertObservation,
  AlertSilence,
  AlertUnit,
} from '@holdfast/kit/alerts';
import type {
  AlertDeliveriesTable,
  AlertGroupsTable,
  AlertObservationsTable,
  AlertSilencesTable,
  AlertsTable,
} from '../../platform/postgres/index.ts';

const moment = (unixMs: number | null): Date | null => (unixMs === null ? null : new Date(unixMs));

export function toAlert(row: Selectable<AlertsTable>): Alert {
  return {
    id: row.id,
    fingerprint: row.fingerprint,
    rule: row.rule,
    labels: row.labels as AlertLabels,
    severity: row.severity,
    unit: row.unit as AlertUnit,
    groupKey: row.group_key,
    status: row.status,
    sinceMs: row.since_at.getTime(),
    firedMs: row.fired_at?.getTime() ?? null,
    resolvedMs: row.resolved_at?.getTime() ?? null,
    clearMs: row.clear_at?.getTime() ?? null,
    resolveAfterMs: row.resolve_after_ms,
    value: row.value,
    threshold: row.threshold,
    bad: row.bad,
    acknowledged: row.acknowledged as AlertAcknowledgement | null,
  };
}

export function fromAlert(alert: Alert) {
  return {
    id: alert.id,
    fingerprint: alert.fingerprint,
    rule: alert.rule,
    labels: alert.labels,
    severity: alert.severity,
    unit: alert.unit,
    group_key: alert.groupKey,
    status: alert.status,
    since_at: moment(alert.sinceMs),
    fired_at: moment(alert.firedMs),
    resolved_at: moment(alert.resolvedMs),
    clear_at: moment(alert.clearMs),
    resolve_after_ms: alert.resolveAfterMs,
    value: alert.value,
    threshold: alert.threshold,
    bad: alert.bad,
    acknowledged: alert.acknowledged,
  };
}

export function toObservation(row: Selectable<AlertObservationsTable>): AlertObservation {
  const { fingerprint, instance, rule, labels, value, expires_at } = row;
  return { fingerprint, instance, rule, labels: labels as AlertLabels, value, expiresMs: expires_at.getTime() };
}

export function fromObservation({ fingerprint, instance, rule, labels, value, expiresMs }: AlertObservation) {
  return { fingerprint, instance, rule, labels, value, expires_at: moment(expiresMs) };
}

export function toGroup({ key, rule, told, told_at, channels }: Selectable<AlertGroupsTable>): AlertGroup {
  return { key, rule, told, toldMs: told_at.getTime(), channels };
}

export function fromGroup({ key, rule, told, toldMs, channels }: AlertGroup) {
  return { key, rule, told, told_at: moment(toldMs), channels };
}

export function toSilence(row: Selectable<AlertSilencesTable>): AlertSilence {
  const { id, matchers, starts_at, ends_at, created_by, reason } = row;
  return { id, matchers: matchers as AlertMatcher[], startsMs: starts_at.getTime(), endsMs: ends_at.getTime(), by: created_by, reason };
}

export function fromSilence({ id, matchers, startsMs, endsMs, by, reason }: AlertSilence) {
  return { id, matchers, starts_at: moment(startsMs), ends_at: moment(endsMs), created_by: by, reason };
}

export function toDelivery(row: Selectable<AlertDeliveriesTable>): AlertDelivery {
  return {
    id: row.id,
    channel: row.channel,
    groupKey: row.group_key,
    notification: row.notification as AlertNotification,
    status: row.status,
    attempts: row.attempts,
    createdMs: row.created_at.getTime(),
    nextTryMs: row.next_try_at.getTime(),
    finishedMs: row.finished_at?.getTime() ?? null,
    lastError: row.last_error,
  };
}

export function fromDelivery(delivery: AlertDelivery) {
  return {
    id: delivery.id,
    channel: delivery.channel,
    group_key: delivery.groupKey,
    notification: delivery.notification,
    status: delivery.status,
    attempts: delivery.attempts,
    created_at: moment(delivery.createdMs),
    next_try_at: moment(delivery.nextTryMs),
    finished_at: moment(delivery.finishedMs),
    last_error: delivery.lastError,
  };
}
