import { isHoldfastError } from '../errors/index.ts';

/** Longest wait that is believed: a day. A server that says more is not coming back for this call. */
const maxRetryAfterMs = 86_400_000;

/**
 * The wait that an error asks for, in milliseconds; undefined when it asks for none. A HoldfastError says it as
 * `retryAfterSeconds`, as any other error may; errors of HTTP clients (OpenAI's SDK, axios, …) carry the answer's headers.
 */
export function retryAfterMsOf(error: unknown, nowMs: () => number): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { retryAfterSeconds, headers, response } = error as Record<string, unknown>;
  if (typeof retryAfterSeconds === 'number') return bounded(retryAfterSeconds * 1000);
  if (isHoldfastError(error)) return undefined;
  return fromHeaders(headers ?? (response as { headers?: unknown } | null | undefined)?.headers, nowMs);
}

/** `retry-after-ms` (OpenAI), then `Retry-After` as seconds or as a date (RFC 9110 §10.2.3). */
function fromHeaders(headers: unknown, nowMs: () => number): number | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const milliseconds = read(headers, 'retry-after-ms');
  if (milliseconds !== undefined && Number(milliseconds) >= 0) return bounded(Number(milliseconds));
  const text = read(headers, 'retry-after');
  if (text === undefined) return undefined;
  if (Number(text) >= 0) return bounded(Number(text) * 1000);
  return bounded(Date.parse(text) - nowMs());
}

function read(headers: object, name: string): string | undefined {
  const { get } = headers as { get?: unknown };
  const value = typeof get === 'function' ? (get.call(headers, name) as unknown) : (headers as Record<string, unknown>)[name];
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text.trim() !== '' ? text : undefined;
}

function bounded(milliseconds: number): number | undefined {
  return Number.isNaN(milliseconds) ? undefined : Math.min(maxRetryAfterMs, Math.max(0, milliseconds));
}
