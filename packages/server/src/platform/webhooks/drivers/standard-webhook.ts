import { createHmac } from 'node:crypto';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { request } from 'undici';
import type { SignedWebhook } from '../signed-webhook.ts';

export interface StandardWebhookOptions {
  readonly url: string;
  /** `whsec_` and 24 to 64 random bytes in base64, as the receiver has it. */
  readonly secret: string;
  readonly clock: Clock;
}

const mayPass: ReadonlySet<number> = new Set([408, 425, 429]);

/** Signed by the Standard Webhooks specification (https://www.standardwebhooks.com): any library of it verifies sender and age. */
export function createStandardWebhook({ url, secret, clock }: StandardWebhookOptions): SignedWebhook {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return {
    async send({ id, body }, { signal }) {
      const text = JSON.stringify(body);
      const seconds = Math.floor(clock.now() / 1_000);
      const signature = createHmac('sha256', key).update(`${id}.${seconds}.${text}`).digest('base64');
      let status: number;
      try {
        const response = await request(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': 'holdfast',
            'webhook-id': id,
            'webhook-timestamp': String(seconds),
            'webhook-signature': `v1,${signature}`,
          },
          body: text,
          signal,
          reset: true,
        });
        status = response.statusCode;
        await response.body.dump({ limit: 65_536, signal });
      } catch (error) {
        // The address may be the secret itself, and what is thrown names it.
        const { code, name } = error as { code?: unknown; name?: unknown };
        throw new HoldfastError('delivery_failed', { detail: `webhook: ${typeof code === 'string' ? code : String(name)}` });
      }
      if (status >= 200 && status < 300) return;
      throw new HoldfastError(status >= 500 || mayPass.has(status) ? 'delivery_failed' : 'delivery_refused', {
        detail: `the webhook answered ${status}`,
      });
    },
  };
}
