import { request } from 'undici';
import { HoldfastError } from '../../../errors/index.ts';

export interface PostOptions {
  /** Who is asked, in errors: `slack`. The address stays out of them, it may be the secret itself. */
  readonly receiver: string;
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Statuses that may be others the next time. Every other one says that the same would be refused again. */
const mayPass: ReadonlySet<number> = new Set([408, 425, 429]);
const maxRetryAfterSeconds = 3_600;

/**
 * One POST of JSON. Resolves when the receiver answers 2xx; rejects with `alert_channel_failed` when it may help to try again, and with
 * `alert_channel_refused` when not. Redirects are refused: nobody but the configured address is told. Nothing of an answer is kept.
 */
export async function postJson({ receiver, url, body, headers, signal }: PostOptions): Promise<void> {
  let status: number;
  let retryAfter: string | string[] | undefined;
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'holdfast', ...headers },
      body,
      signal,
      reset: true,
    });
    status = response.statusCode;
    retryAfter = response.headers['retry-after'];
    await response.body.dump({ limit: 65_536, signal });
  } catch (error) {
    throw new HoldfastError('alert_channel_failed', { detail: `${receiver}: ${reasonOf(error)}` });
  }
  if (status >= 200 && status < 300) return;
  const detail = `${receiver} answered ${status}`;
  if (status >= 500 || mayPass.has(status)) {
    const seconds =
      typeof retryAfter === 'string' && /^\d{1,6}$/.test(retryAfter) ? Math.min(Number(retryAfter), maxRetryAfterSeconds) : undefined;
    throw new HoldfastError('alert_channel_failed', { detail, ...(seconds !== undefined && { retryAfterSeconds: seconds }) });
  }
  throw new HoldfastError('alert_channel_refused', { detail });
}

/** A code, and not the words: they may repeat what was sent. */
function reasonOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  const { code, name } = (first ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'failed';
}
