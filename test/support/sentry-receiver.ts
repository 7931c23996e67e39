import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface SentryReceiver {
  /** For `SENTRY_DSN`. */
  readonly dsn: string;
  /** Every envelope as it came: the header, then each item with its own. */
  readonly envelopes: readonly (readonly unknown[])[];
  /** The errors in them. */
  readonly events: readonly any[];
  /** Also of envelopes that get no answer. */
  received(count: number): Promise<void>;
  answerWith(answer: { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly silent?: boolean }): void;
  close(): Promise<void>;
}

/** A Sentry that reads what it is sent by the protocol of envelopes (https://develop.sentry.dev/sdk/data-model/envelopes/), and answers as it is told. */
export async function startSentryReceiver(): Promise<SentryReceiver> {
  const envelopes: unknown[][] = [];
  const events: unknown[] = [];
  let answer: Parameters<SentryReceiver['answerWith']>[0] = {};
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
      if (!request.url?.startsWith('/api/42/envelope/')) throw new Error(`an envelope went to ${request.url}`);
      const parts: unknown[] = text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown);
      envelopes.push(parts);
      for (let at = 1; at < parts.length; at += 2) if ((parts[at] as { type: string }).type === 'event') events.push(parts[at + 1]);
      waiting = waiting.filter(({ count, resolve }) => (envelopes.length < count ? true : (resolve(), false)));
      if (answer.silent) return;
      response.writeHead(answer.status ?? 200, { ...answer.headers, 'content-type': 'application/json' });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    dsn: `http://publickey@127.0.0.1:${(server.address() as AddressInfo).port}/42`,
    envelopes,
    events,
    received: (count) =>
      new Promise((resolve) => {
        if (envelopes.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    answerWith: (given) => void (answer = given),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
