import type { ErrorRow } from './error-row.ts';

/** Told of deliveries, never to clients. */
export const alertErrors = {
  alert_channel_failed: {
    category: 'external_service',
    message: 'A channel of alerts could not be reached. It is tried again.',
    help: 'Slack, PagerDuty, the mail server or the webhook did not answer, or answered that it cannot now. Told of deliveries (`GET /api/alerts/deliveries`, `holdfast alerts test`) and in the log, never to clients. A delivery is tried again for six hours.',
  },
  alert_channel_refused: {
    category: 'external_service',
    retryable: false,
    message: 'A channel of alerts refused what it was sent. Check its address and its key.',
    help: 'The receiver answered that the same would be refused again: a wrong key or address, a channel that was deleted. Told of deliveries (`GET /api/alerts/deliveries`, `holdfast alerts test`) and in the log, never to clients.',
  },
} as const satisfies Record<string, ErrorRow>;
