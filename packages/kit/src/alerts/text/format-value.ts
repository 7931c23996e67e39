import type { AlertUnit } from '../rules/index.ts';

/** A value as a person reads it: `2.4 s`, `12 %`, `$31.50`. */
export function formatValue(value: number, unit: AlertUnit): string {
  switch (unit) {
    case 'seconds':
      return Math.abs(value) < 1 ? `${significant(value * 1_000)} ms` : `${significant(value)} s`;
    case 'ratio':
      return `${significant(value * 100)} %`;
    case 'usd':
      return `$${value.toFixed(2)}`;
    case 'days':
      return `${significant(value)} ${value === 1 ? 'day' : 'days'}`;
    case 'count':
      return significant(value);
    case 'flag':
      return value > 0 ? 'yes' : 'no';
  }
}

/** `12 min`, `3 h 20 min`: how long something has lasted. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** `2026-11-20 03:12:30 UTC` */
export function formatMoment(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function significant(value: number): string {
  if (value === 0) return '0';
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return String(rounded);
}
