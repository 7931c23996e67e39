import { createHmac } from 'node:crypto';
import { HoldfastError } from '../../../errors/index.ts';
import { systemClock, type Clock } from '../../../time/index.ts';
import type { AlertChannel } from '../../channel.ts';
import type { AlertDelivery } from '../../engine/index.ts';
import { describeNotification } from '../../text/index.ts';
import { checkUrl, type ChannelOptions } from './channel-options.ts';
import { postJson } from './post-json.ts';

export interface WebhookChannelOptions extends ChannelOptions {
  readonly url: string;
  /** `whsec_` and 24 to 64 random bytes in base64, as the receiver has it. */
  readonly secret: string;
  readonly clock?: Clock;
}

/**
 * POSTs each notification as JSON, signed by the Standard Webhooks specification (https://www.standardwebhooks.com): any library of it verifies sender
 * and age, and `webhook-id` is the same when a delivery comes again.
 */
export function createWebhookChannel({
  name,
  url,
  secret,
  minSeverity = 'info',
  mask,
  clock = systemClock,
}: WebhookChannelOptions): AlertChannel {
  checkUrl('webhook', url);
  const key = webhookKey(secret);
  if (key === undefined) {
    const fault = 'the secret of a webhook must be whsec_ and 24 to 64 bytes in base64';
    throw new HoldfastError('configuration_invalid', { detail: fault, details: [fault] });
  }
  return {
    name,
    kind: 'webhook',
    minSeverity,
    tells: ['firing', 'resolved', 'acknowledged', 'test'],
    send(delivery, { signal }) {
      const body = JSON.stringify(webhookBody(delivery, mask));
      const seconds = Math.floor(clock.now() / 1_000);
      const signature = createHmac('sha256', key).update(`${delivery.id}.${seconds}.${body}`).digest('base64');
      const headers = { 'webhook-id': delivery.id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
      return postJson({ receiver: 'webhook', url, body, headers, signal });
    },
  };
}

/** The bytes of a secret; undefined for what is none. */
export function webhookKey(secret: string): Buffer | undefined {
  const match = /^whsec_([\w+/-]+={0,2})$/.exec(secret);
  const key = Buffer.from(match?.[1] ?? '', 'base64');
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

function webhookBody({ notification }: AlertDelivery, mask: (text: string) => string = (text) => text): object {
  const { kind, cause, rule, dedupKey, deployment, severity, atMs, summary, action, look, alerts, count } = notification;
  const moment = (unixMs: number | null): string | null => (unixMs === null ? null : new Date(unixMs).toISOString());
  return {
    type: `alert.${kind}`,
    timestamp: new Date(atMs).toISOString(),
    data: {
      deployment,
      group: dedupKey,
      rule,
      severity,
      cause,
      title: describeNotification(notification, { mask }).title,
      summary: mask(summary),
      action: mask(action),
      look: look.map((line) => mask(line)),
      count,
      alerts: alerts.map((alert) => ({
        id: alert.id,
        fingerprint: alert.fingerprint,
        labels: Object.fromEntries(Object.entries(alert.labels).map(([label, value]) => [label, mask(value)])),
        status: alert.status,
        value: alert.value,
        threshold: alert.threshold,
        unit: alert.unit,
        since: moment(alert.sinceMs),
        fired_at: moment(alert.firedMs),
        resolved_at: moment(alert.resolvedMs),
      })),
    },
  };
}
