import { found, type Match } from '../finding.ts';
import { blank, continues, digit, hyphen, is, speaksOfReference, speaksOfSsn, wordsBefore } from '../text/index.ts';

/** At a digit that begins a run: `123-45-6789`; with blanks or without signs only where the words before say so. Numbers that are never issued are none (SSA, POMS RM 10201.035). */
export function ssn(text: string, at: number, floor: number, match: Match): boolean {
  const separator = text.charCodeAt(at + 3);
  const isPlain = is(separator, digit);
  if (!isPlain && separator !== hyphen && separator !== blank) return false;
  const gap = isPlain ? 0 : 1;
  const group = at + 3 + gap;
  const serial = group + 2 + gap;
  const end = serial + 4;
  if (!digits(text, at, 3) || !digits(text, group, 2) || !digits(text, serial, 4)) return false;
  if (!isPlain && text.charCodeAt(group + 2) !== separator) return false;
  const next = text.charCodeAt(end);
  if (continues(next) || (next === hyphen && is(text.charCodeAt(end + 1), digit))) return false;
  const area = Number(text.slice(at, at + 3));
  if (area === 0 || area === 666 || area >= 900 || text.slice(group, group + 2) === '00' || text.slice(serial, end) === '0000')
    return false;
  const words = wordsBefore(text, at, floor);
  if (speaksOfSsn(words)) return found(match, 'ssn', at, end, 0.98);
  return separator === hyphen && !speaksOfReference(words) && found(match, 'ssn', at, end, 0.85);
}

function digits(text: string, from: number, count: number): boolean {
  for (let at = from; at < from + count; at++) if (!is(text.charCodeAt(at), digit)) return false;
  return true;
}
