import { channelSecrets } from './channel-secrets.ts';
import { mailbox } from './mailbox.ts';
import type { SettingSection } from './setting.ts';
import { flag, integer, listOf, text } from './value-types.ts';

/** `alerts:` of the file, but for its maps `channels` and `rules`. Each secret makes a channel that is named after its kind. */
export const alertSettings = {
  enabled: {
    type: flag,
    environment: 'HOLDFAST_ALERTS_ENABLED',
    default: undefined,
    defaultText: '`true` once there is a channel',
    description: 'Whether rules are evaluated. Without a channel alerts can only be looked at (`GET /api/alerts`).',
  },
  deployment: {
    type: text('up to 64 letters, digits, dots, dashes and underscores', /^[\w.-]{1,64}$/),
    environment: 'HOLDFAST_ALERTS_DEPLOYMENT',
    default: 'holdfast',
    description: 'Name of this installation in what is told. Installations that share a PagerDuty service need different ones.',
  },
  intervalMs: {
    type: integer(1_000, 3_600_000),
    environment: 'HOLDFAST_ALERTS_INTERVAL_MS',
    default: 30_000,
    description: 'Milliseconds between two looks at the rules.',
  },
  repeatMs: {
    type: integer(60_000, 604_800_000),
    environment: 'HOLDFAST_ALERTS_REPEAT_MS',
    default: 14_400_000,
    defaultText: '14400000 (4 hours)',
    description: 'Milliseconds after which an alert that goes on, and that nobody has acknowledged, is told again.',
  },
  slackUrl: {
    secret: true,
    environment: 'HOLDFAST_ALERTS_SLACK_URL',
    ...channelSecrets.slackUrl,
    description: 'Tells alerts to a channel of Slack.',
  },
  pagerdutyKey: {
    secret: true,
    environment: 'HOLDFAST_ALERTS_PAGERDUTY_KEY',
    ...channelSecrets.routingKey,
    description: 'Tells critical alerts to PagerDuty.',
  },
  webhookUrl: {
    secret: true,
    environment: 'HOLDFAST_ALERTS_WEBHOOK_URL',
    ...channelSecrets.webhookUrl,
    description: 'Tells alerts to an address of yours, signed; needs `webhookSecret`.',
  },
  webhookSecret: {
    secret: true,
    environment: 'HOLDFAST_ALERTS_WEBHOOK_SECRET',
    ...channelSecrets.webhookSecret,
    description: 'What the webhook is signed with, by the Standard Webhooks specification: `echo "whsec_$(openssl rand -base64 32)"`.',
  },
  smtpUrl: {
    secret: true,
    environment: 'HOLDFAST_ALERTS_SMTP_URL',
    ...channelSecrets.smtpUrl,
    description: 'Tells alerts by mail; needs `emailFrom` and `emailTo`.',
  },
  emailFrom: {
    type: mailbox,
    environment: 'HOLDFAST_ALERTS_EMAIL_FROM',
    default: undefined,
    defaultText: 'none',
    description: 'Sender of these mails.',
  },
  emailTo: {
    type: listOf(mailbox, 'a list of mail addresses'),
    environment: 'HOLDFAST_ALERTS_EMAIL_TO',
    default: [] as readonly string[],
    defaultText: 'none',
    description: 'Readers of these mails. Comma-separated in the environment, a list in the file.',
  },
} as const satisfies SettingSection;
