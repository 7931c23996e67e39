import { connect } from 'node:tls';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';

export interface CertificateExpiryOptions {
  /** `https://api.example.com`, of a provider that the configuration names. */
  readonly origin: string;
  readonly clock: Clock;
  /** Default 3,000. */
  readonly timeoutMs?: number;
}

/**
 * When the certificate that a server shows ends, in Unix milliseconds. Nothing is sent, and nobody is trusted: one that has ended is read as well. Rejects with
 * `provider_unreachable` when there is none to be had in time.
 */
export function readCertificateExpiry({ origin, clock, timeoutMs = 3_000 }: CertificateExpiryOptions): Promise<number> {
  const { hostname, port } = new URL(origin);
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const fail = (detail: string): void => {
      timer.cancel();
      socket.destroy();
      reject(new HoldfastError('provider_unreachable', { detail: `${hostname}: ${detail}` }));
    };
    const socket = connect(
      {
        host,
        port: port === '' ? 443 : Number(port),
        rejectUnauthorized: false,
        ...(/[a-z]/i.test(host) && !host.includes(':') && { servername: host }),
      },
      () => {
        const endsMs = Date.parse(socket.getPeerCertificate().valid_to);
        if (Number.isNaN(endsMs)) return fail('it shows no certificate');
        timer.cancel();
        socket.destroy();
        resolve(endsMs);
      },
    );
    const timer = clock.setTimeout(() => fail(`no certificate in ${timeoutMs} ms`), timeoutMs);
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  });
}
