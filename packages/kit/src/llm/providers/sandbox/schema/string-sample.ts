import type { Draw } from '../draw.ts';
import { samplePattern } from './pattern-sample.ts';

type Fields = Readonly<Record<string, unknown>>;

const words = ['sandbox', 'harbour', 'lantern', 'meadow', 'orchard', 'pebble', 'river', 'window'] as const;
const maxLength = 10_000;

const formats: Readonly<Record<string, (draw: Draw) => string>> = {
  'date-time': (draw) => `2026-01-${twoDigits(1 + draw.below(28))}T12:00:00Z`,
  date: (draw) => `2026-01-${twoDigits(1 + draw.below(28))}`,
  time: () => '12:00:00Z',
  duration: (draw) => `P${1 + draw.below(9)}D`,
  email: (draw) => `${draw.of(words)}@example.com`,
  'idn-email': (draw) => `${draw.of(words)}@example.com`,
  hostname: (draw) => `${draw.of(words)}.example.com`,
  'idn-hostname': (draw) => `${draw.of(words)}.example.com`,
  ipv4: (draw) => `192.0.2.${1 + draw.below(254)}`,
  ipv6: (draw) => `2001:db8::${(1 + draw.below(0xffff)).toString(16)}`,
  uri: (draw) => `https://example.com/${draw.of(words)}`,
  'uri-reference': (draw) => `/${draw.of(words)}`,
  iri: (draw) => `https://example.com/${draw.of(words)}`,
  uuid: (draw) => `00000000-0000-4000-8000-${draw.below(0xffff_ffff).toString(16).padStart(12, '0')}`,
  'json-pointer': (draw) => `/${draw.of(words)}`,
  regex: () => '^[a-z]+$',
};

/** A string of a schema: by its format, else its pattern, else a word, brought to the length that is allowed. */
export function sampleString(schema: Fields, draw: Draw): string {
  const least = lengthOf(schema['minLength'], 0);
  const most = Math.max(least, lengthOf(schema['maxLength'], maxLength));
  const format = formats[String(schema['format'])];
  if (format) return format(draw);
  if (typeof schema['pattern'] === 'string') {
    for (let more = 0; more <= least; more = more === 0 ? 1 : more * 2) {
      const text = samplePattern(schema['pattern'], Math.min(more, least), maxLength);
      if (text === undefined) break;
      if (text.length >= least) return text;
    }
    const text = samplePattern(schema['pattern'], least, maxLength);
    if (text !== undefined) return text;
  }
  let text: string = draw.of(words);
  while (text.length < least) text += ` ${draw.of(words)}`;
  return text.length > most ? text.slice(0, most) : text;
}

function lengthOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? Math.min(Math.ceil(value), maxLength) : otherwise;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
