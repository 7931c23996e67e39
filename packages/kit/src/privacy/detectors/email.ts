import { found, type Match } from '../finding.ts';
import {
  backslash,
  codeBefore,
  colon,
  digit,
  domainCharacter,
  dot,
  hyphen,
  is,
  isAccented,
  letter,
  localCharacter,
} from '../text/index.ts';

/** RFC 5321, 4.5.3.1. */
const longestLocal = 64;
const longestDomain = 253;
const shortestTop = 2;
const longestTop = 24;

/** Endings of files that are named like an address: `logo@2x.png`. */
const fileEndings = new Set([
  'png',
  'jpg',
  'jpeg',
  'gif',
  'svg',
  'webp',
  'ico',
  'css',
  'js',
  'mjs',
  'ts',
  'tsx',
  'json',
  'map',
  'html',
  'txt',
  'log',
  'local',
]);

/** At an `@`, or at the `%` of `%40`. Neither side reads past another `@`, so that all of them together read the text twice. */
export function email(text: string, at: number, floor: number, match: Match): boolean {
  const after = text.charCodeAt(at) === 64 ? at + 1 : at + 3;
  const end = domainEnd(text, after);
  if (end === 0) return false;
  let start = at;
  const lowest = Math.max(floor, at - longestLocal);
  while (start > lowest && isLocal(text.charCodeAt(start - 1))) start--;
  start = pastEscape(text, start, floor);
  while (start < at && isTrimmed(text.charCodeAt(start))) start++;
  if (start === at || text.charCodeAt(at - 1) === dot) return false;
  // git@github.com:owner/repository
  if (text.charCodeAt(end) === colon && at - start === 3 && text.slice(start, at) === 'git') return false;
  return found(match, 'email', start, end, 0.97);
}

function isLocal(code: number): boolean {
  return is(code, localCharacter) || isAccented(code);
}

/** Signs that may stand in an address and rather stand before one: quotes, and the `+` and `%` that encode a blank. */
function isTrimmed(code: number): boolean {
  return code === dot || code === 39 || code === 37 || code === 43 || code === hyphen;
}

/** In JSON a line break before the address is a backslash and an `n`; the letter is not of the address, and alone the backslash would break the JSON. */
function pastEscape(text: string, start: number, floor: number): number {
  if (codeBefore(text, start - 1, floor) !== backslash) return start;
  return start + (text.charCodeAt(start) === 117 ? 5 : 1);
}

/** After the top level domain, or 0. */
function domainEnd(text: string, from: number): number {
  const limit = Math.min(text.length, from + longestDomain);
  let at = from;
  let lastDot = 0;
  for (; at < limit; at++) {
    const code = text.charCodeAt(at);
    if (code === dot) {
      // Two dots, or one at the beginning: the address ends before.
      if (at === from || text.charCodeAt(at - 1) === dot) break;
      if (!isLabel(text.charCodeAt(at + 1))) break;
      lastDot = at;
    } else if (!is(code, domainCharacter) && !isAccented(code)) break;
  }
  while (at > from && (text.charCodeAt(at - 1) === hyphen || text.charCodeAt(at - 1) === dot)) at--;
  if (lastDot === 0 || at - lastDot - 1 < shortestTop || at - lastDot - 1 > longestTop) return 0;
  for (let index = lastDot + 1; index < at; index++)
    if (!is(text.charCodeAt(index), letter | digit) && !isAccented(text.charCodeAt(index)) && text.charCodeAt(index) !== hyphen) return 0;
  if (is(text.charCodeAt(lastDot + 1), digit)) return 0;
  return fileEndings.has(text.slice(lastDot + 1, at).toLowerCase()) ? 0 : at;
}

function isLabel(code: number): boolean {
  return is(code, letter | digit) || isAccented(code);
}
