import { InvalidArgumentError } from 'commander';

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const maxSeconds = 100 * 365 * 86_400;

/** `90s`, `15m`, `24h`, `30d`, `2w` as seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,10})([smhdw])$/.exec(text);
  const seconds = match ? Number(match[1]) * secondsOf[match[2]!]! : NaN;
  if (!(seconds <= maxSeconds)) throw new InvalidArgumentError('Give a duration such as 90s, 15m, 24h, 30d or 2w.');
  return seconds;
}

/** A moment as it was given: an RFC 3339 date or time in UTC, or a duration. Which way a duration counts the command decides. */
export type Moment = { readonly date: Date } | { readonly seconds: number };

export function parseMoment(text: string): Moment {
  if (/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.test(text)) {
    const date = new Date(text);
    // `2026-02-31` would silently become March.
    if (!Number.isNaN(date.getTime()) && (text.length > 10 || date.toISOString().startsWith(text))) return { date };
  }
  if (/^\d+[smhdw]$/.test(text)) return { seconds: parseDuration(text) };
  throw new InvalidArgumentError('Give a date (2026-12-31), a time (2026-12-31T12:00:00Z) or a duration (30d).');
}

export function after(moment: Moment, nowMs: number): Date {
  return 'date' in moment ? moment.date : new Date(nowMs + moment.seconds * 1000);
}

export function before(moment: Moment, nowMs: number): Date {
  return 'date' in moment ? moment.date : new Date(nowMs - moment.seconds * 1000);
}
