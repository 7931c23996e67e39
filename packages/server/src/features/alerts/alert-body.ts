import type { AlertBody, AlertDeliveryBody, AlertRuleBody, AlertSilenceBody } from '@holdfast/contracts';
import type { Alert, AlertDelivery, AlertRule, AlertSilence } from '@holdfast/kit/alerts';

const moment = (unixMs: number): string => new Date(unixMs).toISOString();
const momentOrNull = (unixMs: number | null): string | null => (unixMs === null ? null : moment(unixMs));

export function toAlertBody(alert: Alert): AlertBody {
  const { acknowledged } = alert;
  return {
    id: alert.id,
    rule: alert.rule,
    labels: { ...alert.labels },
    severity: alert.severity,
    status: alert.status,
    since: moment(alert.sinceMs),
    fired_at: momentOrNull(alert.firedMs),
    resolved_at: momentOrNull(alert.resolvedMs),
    value: alert.value,
    threshold: alert.threshold,
    bad: alert.bad,
    unit: alert.unit,
    acknowledged_at: acknowledged && moment(acknowledged.atMs),
    acknowledged_by: acknowledged?.by ?? null,
    acknowledgement_note: acknowledged?.note ?? null,
  };
}

export function toRuleBody(rule: AlertRule): AlertRuleBody {
  return {
    name: rule.name,
    metric: rule.metric,
    bad: rule.bad,
    threshold: rule.threshold,
    resolve_threshold: rule.resolveThreshold,
    window_ms: rule.windowMs,
    for_ms: rule.forMs,
    resolve_after_ms: rule.resolveAfterMs,
    min_count: rule.minCount,
    severity: rule.severity,
    labels: { ...rule.labels },
    where: { ...rule.where },
    group_by: [...rule.groupBy],
    unit: rule.unit,
    summary: rule.summary,
    action: rule.action,
    look: [...rule.look],
  };
}

export function toSilenceBody({ id, matchers, startsMs, endsMs, reason, by }: AlertSilence): AlertSilenceBody {
  return {
    id,
    matchers: matchers.map(({ label, value }) => ({ label, value })),
    starts_at: moment(startsMs),
    ends_at: moment(endsMs),
    reason,
    created_by: by,
  };
}

export function toDeliveryBody(delivery: AlertDelivery): AlertDeliveryBody {
  const { id, channel, notification, status, attempts, createdMs, nextTryMs, finishedMs, lastError } = delivery;
  return {
    id,
    channel,
    rule: notification.rule,
    kind: notification.kind,
    status,
    attempts,
    created_at: moment(createdMs),
    next_try_at: status === 'pending' ? moment(nextTryMs) : null,
    finished_at: momentOrNull(finishedMs),
    last_error: lastError,
  };
}
