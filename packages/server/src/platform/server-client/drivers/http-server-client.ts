import { errorEnvelope } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import { request } from 'undici';
import type { ServerClient } from '../server-client.ts';

export interface ServerClientOptions {
  /** `http://127.0.0.1:8080`. Redirects are not followed: the key goes to no other host. */
  readonly origin: string;
  /** Of an operator. */
  readonly key: string;
  /** For an answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

const maxBytes = 16 * 1024 * 1024;

export function createServerClient({ origin, key, timeoutMs = 10_000 }: ServerClientOptions): ServerClient {
  async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body: unknown): Promise<unknown> {
    let status: number;
    let text: string;
    try {
      const response = await request(origin + path, {
        method,
        headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        reset: true,
      });
      status = response.statusCode;
      text = await readText(response.body);
    } catch (error) {
      throw unreachable(`${origin}: ${reasonOf(error)}`, error);
    }
    const answer = parse(text);
    if ((status === 200 || status === 201) && answer !== undefined) return answer;
    const refusal = errorEnvelope.safeParse(answer);
    if (!refusal.success) throw unreachable(`${origin} answered ${status}, and not as Holdfast does`);
    const { reason, details } = refusal.data.error;
    throw new HoldfastError(reason, { ...(details !== undefined && { details }) });
  }

  return {
    get: (path) => ask('GET', path, undefined),
    post: (path, body) => ask('POST', path, body),
    delete: (path) => ask('DELETE', path, undefined),
  };
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(detail: string, cause?: unknown): HoldfastError {
  return new HoldfastError('server_unreachable', { detail, ...(cause !== undefined && { cause }) });
}

/** Of the several addresses of a name undici reports each, in an error without words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [first] = error instanceof AggregateError ? error.errors : [error];
  return first instanceof Error ? first.message : error.message;
}
