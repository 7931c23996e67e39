import { alertSeverities, type AlertRule, type AlertSeverity } from '../rules/index.ts';
import {
  maxAlertsTold,
  type Alert,
  type AlertDelivery,
  type AlertGroup,
  type AlertNotification,
  type AlertNotificationKind,
  type AlertSilence,
} from './alert.ts';
import { isWorse } from './observe.ts';
import { isSilenced } from './silence.ts';

/** Which channels hear of what. */
export interface AlertRoute {
  readonly channel: string;
  /** The channel hears of alerts of this severity and worse. */
  readonly minSeverity: AlertSeverity;
  /** What it can tell. */
  readonly tells: readonly AlertNotificationKind[];
}

export interface Told {
  readonly groups: readonly AlertGroup[];
  readonly closed: readonly string[];
  readonly deliveries: readonly AlertDelivery[];
}

export interface NotifyOptions {
  readonly nowMs: number;
  /** Open ones, as they are after this step, and those that this step resolved. */
  readonly alerts: readonly Alert[];
  readonly groups: readonly AlertGroup[];
  readonly silences: readonly AlertSilence[];
  readonly rules: ReadonlyMap<string, AlertRule>;
  readonly routes: readonly AlertRoute[];
  /** Between two tellings of what goes on unchanged and nobody has acknowledged. */
  readonly repeatMs: number;
  readonly deployment: string;
  readonly createId: () => string;
}

/**
 * What is to be told of each group: that alerts fire that nobody was told of, that all that was told is over, or, after a long time, the same
 * again. A group whose alerts are silenced is told of nothing new; the end of what was told is told in any case, or a pager would stay open.
 */
export function notify(options: NotifyOptions): Told {
  const { nowMs, silences, repeatMs } = options;
  const byGroup = new Map<string, Alert[]>();
  for (const alert of options.alerts) {
    if (alert.status === 'pending') continue;
    const list = byGroup.get(alert.groupKey);
    if (list) list.push(alert);
    else byGroup.set(alert.groupKey, [alert]);
  }
  const groups: AlertGroup[] = [];
  const closed: string[] = [];
  const deliveries: AlertDelivery[] = [];
  const known = new Map(options.groups.map((group) => [group.key, group]));

  for (const key of new Set([...known.keys(), ...byGroup.keys()])) {
    const group = known.get(key);
    const members = byGroup.get(key) ?? [];
    const told = new Set(group?.told);
    const firing = members.filter(({ status }) => status === 'firing');
    const audible = firing.filter((alert) => !isSilenced(alert, silences, nowMs));
    const isNew = audible.some(({ id }) => !told.has(id));
    const due = group !== undefined && nowMs - group.toldMs >= repeatMs && audible.some(({ acknowledged }) => acknowledged === null);

    if (isNew || (due && audible.length > 0)) {
      const first = audible[0]!;
      const channels = channelsFor(options.routes, first.severity);
      const cause = group === undefined ? 'fired' : isNew ? 'joined' : 'repeated';
      const next: AlertGroup = {
        key,
        rule: first.rule,
        told: [...new Set([...told, ...audible.map(({ id }) => id)])].filter((id) => firing.some((alert) => alert.id === id)),
        toldMs: nowMs,
        channels: [...new Set([...(group?.channels ?? []), ...channels])],
      };
      groups.push(next);
      deliveries.push(...deliver(options, next, channels, notificationOf(options, 'firing', cause, next, audible)));
    } else if (group !== undefined && !firing.some(({ id }) => told.has(id))) {
      closed.push(key);
      const over = members.filter(({ id, status }) => status === 'resolved' && told.has(id));
      deliveries.push(...deliver(options, group, group.channels, notificationOf(options, 'resolved', null, group, over)));
    }
  }
  return { groups, closed, deliveries };
}

/** That somebody has taken it up, for the channels that were told. */
export function notifyAcknowledged(
  options: Pick<NotifyOptions, 'nowMs' | 'rules' | 'deployment' | 'routes' | 'createId'>,
  group: AlertGroup,
  alert: Alert,
): readonly AlertDelivery[] {
  return deliver(options, group, group.channels, notificationOf(options, 'acknowledged', null, group, [alert]));
}

function channelsFor(routes: readonly AlertRoute[], severity: AlertSeverity): readonly string[] {
  const rank = alertSeverities.indexOf(severity);
  return routes.filter(({ minSeverity }) => rank >= alertSeverities.indexOf(minSeverity)).map(({ channel }) => channel);
}

function notificationOf(
  { nowMs, rules, deployment }: Pick<NotifyOptions, 'nowMs' | 'rules' | 'deployment'>,
  kind: AlertNotification['kind'],
  cause: AlertNotification['cause'],
  group: AlertGroup,
  alerts: readonly Alert[],
): AlertNotification {
  const rule = rules.get(group.rule);
  const worstFirst = [...alerts].sort((a, b) => (isWorse(a, a.value, b.value) ? -1 : isWorse(a, b.value, a.value) ? 1 : 0));
  return {
    kind,
    cause,
    rule: group.rule,
    dedupKey: `${deployment}/${group.key}`,
    deployment,
    severity: alerts[0]?.severity ?? rule?.severity ?? 'warning',
    atMs: nowMs,
    summary: rule?.summary ?? group.rule,
    action: rule?.action ?? '',
    look: rule?.look ?? [],
    alerts: worstFirst.slice(0, maxAlertsTold),
    count: alerts.length,
  };
}

function deliver(
  { nowMs, routes, createId }: Pick<NotifyOptions, 'nowMs' | 'routes' | 'createId'>,
  { key }: AlertGroup,
  channels: readonly string[],
  notification: AlertNotification,
): AlertDelivery[] {
  const { kind } = notification;
  // A channel that this instance does not know is one that another has told: it hears of the end.
  const tells = (name: string): boolean => routes.find(({ channel }) => channel === name)?.tells.includes(kind) ?? kind === 'resolved';
  return channels.filter(tells).map((channel) => ({
    id: createId(),
    channel,
    groupKey: key,
    notification,
    status: 'pending',
    attempts: 0,
    createdMs: nowMs,
    nextTryMs: nowMs,
    finishedMs: null,
    lastError: null,
  }));
}
