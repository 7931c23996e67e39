import { Agent, request } from 'undici';
import type { Clock } from '../../../../time/index.ts';

/** Envelopes under way; more are dropped by the library. */
const maxUnderWay = 16;
const maxAnswerBytes = 16 * 1024;

export interface SentrySenderOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
}

type Answer = {
  readonly statusCode: number;
  readonly headers: { readonly 'x-sentry-rate-limits': string | null; readonly 'retry-after': string | null };
};

/** The connections to Sentry: a few of their own, so that one that hangs holds up nothing else, and each with a bound in time. */
export class SentrySender {
  readonly maxUnderWay = maxUnderWay;
  readonly #agent = new Agent({ connections: 2, keepAliveTimeout: 30_000 });
  readonly #options: SentrySenderOptions;

  constructor(options: SentrySenderOptions) {
    this.#options = options;
  }

  async post(url: string, headers: Readonly<Record<string, string>>, body: string | Uint8Array): Promise<Answer> {
    const { clock, timeoutMs } = this.#options;
    const ending = new AbortController();
    const limit = clock.setTimeout(() => ending.abort(new Error(`Sentry did not answer in ${timeoutMs} ms`)), timeoutMs);
    try {
      const response = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: { ...headers, 'content-type': 'application/x-sentry-envelope' },
        body,
        signal: ending.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      await response.body.dump({ limit: maxAnswerBytes, signal: ending.signal });
      return {
        statusCode: response.statusCode,
        headers: {
          'x-sentry-rate-limits': text(response.headers['x-sentry-rate-limits']),
          'retry-after': text(response.headers['retry-after']),
        },
      };
    } finally {
      limit.cancel();
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

function text(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}
