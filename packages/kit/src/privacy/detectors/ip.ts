import { isIPv6 } from 'node:net';
import { found, type Match } from '../finding.ts';
import {
  codeBefore,
  colon,
  continues,
  digit,
  dot,
  hexadecimal,
  hyphen,
  is,
  letter,
  slash,
  upper,
  speaksOfVersion,
  wordsBefore,
} from '../text/index.ts';

/** At a digit that begins a run. Not loopback, 0.0.0.0/8 and masks, which are nobody's, and not versions. */
export function ipv4(text: string, at: number, floor: number, match: Match): boolean {
  let position = at;
  let first = 0;
  let rest = 0;
  for (let part = 0; part < 4; part++) {
    const start = position;
    let value = 0;
    while (position - start < 4 && is(text.charCodeAt(position), digit)) value = value * 10 + text.charCodeAt(position++) - 48;
    const length = position - start;
    // A leading zero is octal to some readers; of people it is a version or a date.
    if (length === 0 || length > 3 || value > 255 || (length > 1 && text.charCodeAt(start) === 48)) return false;
    if (part === 0) first = value;
    else rest += value;
    if (part < 3 && text.charCodeAt(position++) !== dot) return false;
  }
  const next = text.charCodeAt(position);
  if (continues(next) || ((next === dot || next === hyphen) && is(text.charCodeAt(position + 1), digit | letter))) return false;
  if (first === 0 || first === 127 || first === 255 || (first >= 224 && first < 240)) return false;
  if (isProductVersion(text, at, floor, rest) || speaksOfVersion(wordsBefore(text, at, floor))) return false;
  return found(match, 'ipv4', at, position, 0.95);
}

/** `Chrome/120.0.0.0`, and not `localhost/10.1.2.3`, as Java writes addresses. */
function isProductVersion(text: string, at: number, floor: number, rest: number): boolean {
  if (codeBefore(text, at - 1, floor) !== slash) return false;
  let start = at - 1;
  const lowest = Math.max(floor, at - 24);
  while (start > lowest && is(text.charCodeAt(start - 1), letter)) start--;
  return start < at - 1 && (rest === 0 || is(text.charCodeAt(start), upper));
}

const longestIpv6 = 45;

/** At a colon. `match.end` is where the run of such characters ends also when it is no address, so that nobody reads it again. */
export function ipv6(text: string, at: number, floor: number, match: Match): boolean {
  let start = at;
  const lowest = Math.max(floor, at - 4);
  while (start > lowest && is(text.charCodeAt(start - 1), hexadecimal)) start--;
  if (continues(codeBefore(text, start - 1, floor))) start = at;
  let end = at;
  let colons = 0;
  let isWide = false;
  let hasDigit = false;
  let group = at - start;
  for (let index = start; index < at; index++) hasDigit ||= is(text.charCodeAt(index), digit);
  for (; ; end++) {
    const code = text.charCodeAt(end);
    if (is(code, hexadecimal)) {
      group++;
      hasDigit ||= is(code, digit);
    } else if (code === colon || code === dot) {
      isWide ||= group > 2;
      group = 0;
      if (code === colon) colons++;
    } else break;
  }
  isWide ||= group > 2;
  match.end = end;
  let last = end;
  // The end of a sentence, or a colon before what an address is said to be.
  while (last > at && (text.charCodeAt(last - 1) === dot || (text.charCodeAt(last - 1) === colon && text.charCodeAt(last - 2) !== colon)))
    last--;
  if (text.charCodeAt(start) === colon && text.charCodeAt(start + 1) !== colon) start++;
  // `::1` is nobody's, `a::b` is C++, and twelve or sixteen pairs of digits are a MAC address or a fingerprint.
  if (colons < 2 || !isWide || !hasDigit || last - start > longestIpv6 || last - start < 6 || continues(text.charCodeAt(end))) return false;
  return isIPv6(text.slice(start, last)) && found(match, 'ipv6', start, last, 0.95);
}
