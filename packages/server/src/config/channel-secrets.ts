import { smtpUrlFault } from './smtp-url.ts';

function isHttpUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function isWebhookSecret(value: string): boolean {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value);
  const { length } = Buffer.from(match?.[1] ?? '', 'base64');
  return length >= 24 && length <= 64;
}

/** What channels are told in secret, and how it looks. */
export const channelSecrets = {
  slackUrl: { expected: 'the address of an incoming webhook of Slack, such as `https://hooks.slack.com/services/…`', accepts: isHttpUrl },
  webhookUrl: { expected: 'an http or https URL without user name and password', accepts: isHttpUrl },
  webhookSecret: { expected: '`whsec_` and 24 to 64 random bytes in base64', accepts: isWebhookSecret },
  routingKey: {
    expected: 'the integration key of an "Events API v2" integration: 32 letters and digits',
    accepts: (value: string) => /^[A-Za-z0-9]{32}$/.test(value),
  },
  smtpUrl: {
    expected: '`smtp://user:password@host:587` (with STARTTLS), `smtps://…:465`, or `smtp://localhost:25?tls=none`',
    accepts: (value: string) => smtpUrlFault(value) === undefined,
  },
} as const;
