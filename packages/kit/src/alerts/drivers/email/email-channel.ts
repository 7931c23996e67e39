import { createTransport } from 'nodemailer';
import { HoldfastError } from '../../../errors/index.ts';
import type { AlertChannel } from '../../channel.ts';
import type { AlertDelivery } from '../../engine/index.ts';
import type { AlertSeverity } from '../../rules/index.ts';
import { describeNotification } from '../../text/index.ts';

export interface EmailChannelOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `tls`: from the first byte, mostly port 465. `starttls`: demanded before anything is said, mostly port 587. `none`: for a server on this machine. */
  readonly security: 'tls' | 'starttls' | 'none';
  readonly auth?: { readonly user: string; readonly password: string };
  readonly from: string;
  readonly to: readonly string[];
  /** Certificates beside those that the system trusts, in PEM: of a server with one of its own. */
  readonly ca?: string;
  /** Default `info`: of all. */
  readonly minSeverity?: AlertSeverity;
  readonly mask?: (text: string) => string;
}

/** For each of connecting, greeting and silence; the policy around the channel bounds the whole. */
const timeoutMs = 10_000;

/**
 * Plain text by SMTP, with nodemailer (an optional peer). The id of the delivery is in `Message-ID`, so that a mail that comes twice can be told; those of one
 * group of alerts are one thread.
 */
export function createEmailChannel(options: EmailChannelOptions): AlertChannel {
  const { name, host, port, security, auth, from, to, ca, minSeverity = 'info', mask } = options;
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(auth && { auth: { user: auth.user, pass: auth.password } }),
    ...(ca !== undefined && { tls: { ca } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // Nothing of a mail comes from a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name,
    kind: 'email',
    minSeverity,
    tells: ['firing', 'resolved', 'acknowledged', 'test'],
    async send(delivery, { signal }) {
      signal.throwIfAborted();
      try {
        await transport.sendMail(mailOf(delivery, from, to, mask));
      } catch (error) {
        throw mailFailure(error);
      }
    },
    close: () => transport.close(),
  };
}

function mailOf({ id, notification }: AlertDelivery, from: string, to: readonly string[], mask?: (text: string) => string) {
  const { title, plain } = describeNotification(notification, { ...(mask && { mask }) });
  const thread = `<${notification.dedupKey.replaceAll(/[^\w.-]/g, '-')}@holdfast.invalid>`;
  return {
    from,
    to: [...to],
    subject: title,
    text: `${plain}\n`,
    messageId: `<${id}@holdfast.invalid>`,
    references: [thread],
    // RFC 3834: holiday notices do not answer it.
    headers: {
      'Auto-Submitted': 'auto-generated',
      ...(notification.kind === 'firing' && notification.severity === 'critical' && { Importance: 'high' }),
    },
  };
}

/** By the code of the answer: 5xx is for good. The words stay out of it, servers repeat addresses in them. */
function mailFailure(error: unknown): HoldfastError {
  const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
  const answered = typeof responseCode === 'number' ? `answered ${responseCode}` : undefined;
  const detail = `email: ${answered ?? (typeof code === 'string' ? code : 'failed')}`;
  const forGood = (typeof responseCode === 'number' && responseCode >= 500) || code === 'EAUTH' || code === 'ENOAUTH';
  return new HoldfastError(forGood ? 'alert_channel_refused' : 'alert_channel_failed', { detail });
}
