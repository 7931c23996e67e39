type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Longest wait that is believed, in seconds: a day. A provider that says more is not coming back for this call. */
const maxSeconds = 86_400;

/**
 * The wait that a provider asks for, in seconds: `retry-after-ms` (OpenAI), then `Retry-After` as seconds or as a date
 * (RFC 9110 §10.2.3). Undefined when it says none or none that can be read.
 */
export function readRetryAfterSeconds(headers: Headers, nowMs: number): number | undefined {
  const milliseconds = Number(single(headers['retry-after-ms']) ?? Number.NaN);
  if (milliseconds >= 0) return Math.min(maxSeconds, milliseconds / 1000);
  const text = single(headers['retry-after']);
  if (text === undefined || text.trim() === '') return undefined;
  const seconds = Number(text);
  if (seconds >= 0) return Math.min(maxSeconds, seconds);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.min(maxSeconds, Math.max(0, (date - nowMs) / 1000));
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
