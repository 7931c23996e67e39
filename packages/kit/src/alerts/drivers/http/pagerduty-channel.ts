import type { AlertChannel } from '../../channel.ts';
import type { AlertDelivery, AlertNotification } from '../../engine/index.ts';
import { describeAlert, describeNotification } from '../../text/index.ts';
import { checkUrl, type ChannelOptions } from './channel-options.ts';
import { postJson } from './post-json.ts';

export interface PagerDutyChannelOptions extends ChannelOptions {
  /** The integration key of an "Events API v2" integration: 32 characters, a secret. */
  readonly routingKey: string;
  /** Default `https://events.pagerduty.com/v2/enqueue`; accounts in Europe have `https://events.eu.pagerduty.com/v2/enqueue`. */
  readonly url?: string;
}

export const pagerDutyUrl = 'https://events.pagerduty.com/v2/enqueue';
const maxSummary = 1_024;
const actions = { firing: 'trigger', acknowledged: 'acknowledge', resolved: 'resolve', test: 'trigger' } as const;

/**
 * PagerDuty's Events API v2 (https://developer.pagerduty.com/docs/events-api-v2/trigger-events/). The group of an alert is its `dedup_key`, so what is told
 * twice is one incident.
 */
export function createPagerDutyChannel({
  name,
  routingKey,
  url = pagerDutyUrl,
  minSeverity = 'info',
  mask,
}: PagerDutyChannelOptions): AlertChannel {
  checkUrl('pagerduty', url);
  return {
    name,
    kind: 'pagerduty',
    minSeverity,
    tells: ['firing', 'resolved', 'acknowledged', 'test'],
    async send(delivery, { signal }) {
      for (const event of pagerDutyEvents(delivery, mask))
        await postJson({ receiver: 'pagerduty', url, body: JSON.stringify({ routing_key: routingKey, ...event }), signal });
    },
  };
}

/** A test is resolved as soon as it is seen: nobody has to tidy up after it. */
export function pagerDutyEvents({ id, notification }: AlertDelivery, mask?: (text: string) => string): readonly object[] {
  const dedupKey = notification.kind === 'test' ? `${notification.dedupKey}/${id}` : notification.dedupKey;
  const event = eventOf(notification, dedupKey, mask);
  return notification.kind === 'test' ? [event, { event_action: 'resolve', dedup_key: dedupKey }] : [event];
}

function eventOf(notification: AlertNotification, dedupKey: string, mask: (text: string) => string = (text) => text): object {
  const { kind, rule, severity, deployment, atMs, alerts, count } = notification;
  const action = actions[kind];
  if (action !== 'trigger') return { event_action: action, dedup_key: dedupKey };
  const { title, sections } = describeNotification(notification, { mask });
  return {
    event_action: action,
    dedup_key: dedupKey,
    client: 'Holdfast',
    payload: {
      summary: title.length <= maxSummary ? title : `${title.slice(0, maxSummary - 1)}…`,
      source: mask(deployment),
      severity,
      timestamp: new Date(Math.min(atMs, ...alerts.map(({ sinceMs }) => sinceMs))).toISOString(),
      component: 'holdfast',
      class: rule,
      custom_details: {
        ...Object.fromEntries(sections.map(({ heading, lines }) => [heading.toLowerCase().replaceAll(' ', '_'), lines.join('\n')])),
        alerts: alerts.map((alert) => mask(describeAlert(alert))),
        count,
      },
    },
  };
}
