import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Agent, request } from 'undici';
import { compose, createExecute, retry, type Execute } from '../../../../resilience/index.ts';
import { Cancellation, type Clock, type Random } from '../../../../time/index.ts';

export interface OtlpSenderOptions {
  /** Of the receiver's traces: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly compression: 'none' | 'gzip';
  /** Of one attempt, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** The receiver's answer to a batch that it did not take. */
class OtlpRefusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;

  constructor(status: number, headers: Readonly<Record<string, unknown>>) {
    super(`the receiver of traces answered ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

/** By the protocol: these and no others (https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes). */
const retryableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** A receiver that asks for a longer wait is given up at once: the batch would hold up those behind it. */
const maxRetryAfterMs = 60_000;
const retries = { attempts: 6, firstDelayMs: 1_000, maxDelayMs: 16_000 } as const;
const maxAnswerBytes = 64 * 1024;

const compress = promisify(gzip);

/** `taken`: with what it answered. `refused`: for good. `given_up`: after the last attempt, or because there was no more time. */
export type SendResult =
  | { readonly outcome: 'taken'; readonly body: Buffer }
  | { readonly outcome: 'refused' | 'given_up'; readonly error: unknown };

/** Posts bodies to one receiver, again where that may help. On connections of its own, never to another host than the configured one. */
export class OtlpSender {
  readonly #options: OtlpSenderOptions;
  readonly #agent = new Agent({ connections: 2, keepAliveTimeout: 30_000 });
  readonly #execute: Execute;
  #isPosting = false;
  /** Ends the wait for the next attempt; undefined when there is none. */
  #endWait: (() => void) | undefined;

  constructor(options: OtlpSenderOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#execute = createExecute(
      compose(
        retry({
          name: 'otlp',
          ...retries,
          maxRetryAfterMs,
          // One batch at a time: there is no crowd to be held back.
          budgetPercent: Number.POSITIVE_INFINITY,
          classify: (error) => (isRefusal(error) && !retryableStatuses.has(error.status) ? 'permanent' : 'transient'),
          clock,
          random,
        }),
      ),
      true,
    );
  }

  async send(body: Buffer, cancellation: Cancellation): Promise<SendResult> {
    const { compression } = this.#options;
    const bytes = compression === 'gzip' ? await compress(body) : body;
    try {
      return { outcome: 'taken', body: await this.#postUntilTaken(bytes, cancellation) };
    } catch (error) {
      return { outcome: isRefusal(error) && !retryableStatuses.has(error.status) ? 'refused' : 'given_up', error };
    }
  }

  /** Attempts now what waits for its next attempt: a wait of half a minute is longer than the process has. */
  hurry(): void {
    if (!this.#isPosting) this.#endWait?.();
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #postUntilTaken(body: Buffer, cancellation: Cancellation): Promise<Buffer> {
    const waiting = new Cancellation();
    const unlink = cancellation.onCancel((reason) => waiting.cancel(reason));
    let isHurried = false;
    this.#endWait = () => {
      isHurried = true;
      waiting.cancel(new Error('the process ends'));
    };
    const post = (of: Cancellation): Promise<Buffer> =>
      this.#execute((context) => this.#post(body, context.cancellation), { cancellation: of });
    try {
      return await post(waiting);
    } catch (error) {
      if (!isHurried || cancellation.cancelled) throw error;
      return await post(cancellation);
    } finally {
      this.#endWait = undefined;
      unlink();
    }
  }

  async #post(body: Buffer, cancellation: Cancellation): Promise<Buffer> {
    const { url, headers, contentType, compression, timeoutMs, clock } = this.#options;
    const ending = new AbortController();
    const unlink = cancellation.onCancel((reason) => ending.abort(reason));
    this.#isPosting = true;
    const limit = clock.setTimeout(
      () => ending.abort(new Error(`the receiver of traces did not answer in ${timeoutMs} ms`)),
      timeoutMs,
      true,
    );
    try {
      const response = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: { ...headers, 'content-type': contentType, ...(compression === 'gzip' && { 'content-encoding': 'gzip' }) },
        body,
        signal: ending.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      if (response.statusCode < 200 || response.statusCode > 299) {
        // Read to its end for the connection's sake, and believed in nothing but its status.
        await response.body.dump({ limit: maxAnswerBytes, signal: ending.signal });
        throw new OtlpRefusal(response.statusCode, response.headers);
      }
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size <= maxAnswerBytes) chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } finally {
      this.#isPosting = false;
      limit.cancel();
      unlink();
    }
  }
}

function isRefusal(error: unknown): error is OtlpRefusal {
  return error instanceof OtlpRefusal;
}
