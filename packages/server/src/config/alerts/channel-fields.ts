import { choice, listOf } from '../value-types.ts';
import { mailbox } from '../mailbox.ts';

export const channelKinds = ['slack', 'pagerduty', 'webhook', 'email'] as const;
export type AlertChannelKind = (typeof channelKinds)[number];

export const severities = ['info', 'warning', 'critical'] as const;

export const minSeverityField = {
  type: choice(severities),
  defaultText: '`info`; of `pagerduty` `critical`',
  description: 'Hears of alerts of this severity and worse.',
};

/** What a channel of the file may say of itself, for the reference. Secrets stand as `x`, `xFile` or `xEnv`. */
export const channelFields = Object.freeze({
  kind: { expected: channelKinds.map((kind) => `\`${kind}\``).join(', '), defaultText: 'required', description: 'What it is.' },
  minSeverity: {
    expected: minSeverityField.type.expected,
    defaultText: minSeverityField.defaultText,
    description: minSeverityField.description,
  },
  url: {
    expected: 'an http or https URL',
    defaultText: 'required',
    description:
      'Of `slack` and `webhook`: where to post; a secret. Of `pagerduty`: another region, such as `https://events.eu.pagerduty.com/v2/enqueue`.',
  },
  routingKey: { expected: '32 letters and digits', defaultText: 'required', description: 'Of `pagerduty`: the integration key; a secret.' },
  secret: { expected: '`whsec_` and base64', defaultText: 'required', description: 'Of `webhook`: what it is signed with; a secret.' },
  smtpUrl: { expected: '`smtp://…` or `smtps://…`', defaultText: 'required', description: 'Of `email`: the server; a secret.' },
  from: { expected: mailbox.expected, defaultText: 'required', description: 'Of `email`: the sender.' },
  to: { expected: 'a list of mail addresses', defaultText: 'required', description: 'Of `email`: the readers.' },
});

export const fromField = { type: mailbox, defaultText: 'required', description: '' };
export const toField = { type: listOf(mailbox, 'a list of mail addresses'), defaultText: 'required', description: '' };

export const keysOfKinds: Readonly<Record<AlertChannelKind, readonly string[]>> = Object.freeze({
  slack: ['url', 'urlFile', 'urlEnv'],
  pagerduty: ['routingKey', 'routingKeyFile', 'routingKeyEnv', 'url'],
  webhook: ['url', 'urlFile', 'urlEnv', 'secret', 'secretFile', 'secretEnv'],
  email: ['smtpUrl', 'smtpUrlFile', 'smtpUrlEnv', 'from', 'to'],
});
