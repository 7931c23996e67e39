import { found, type Match } from '../finding.ts';
import {
  blank,
  codeBefore,
  continues,
  digit,
  dot,
  hyphen,
  is,
  letter,
  slash,
  speaksOfPhone,
  speaksOfReference,
  wordsBefore,
} from '../text/index.ts';
import { internationalLength } from './calling-codes.ts';

const fewestDigits = 7;
/** E.164. */
const mostDigits = 15;
/** With `00` before it. */
const mostRead = 17;
const mostGroups = 7;
const plus = 43;
const leftParenthesis = 40;
const rightParenthesis = 41;

/** What was read of one candidate: filled by one call and read before the next, since candidates are many and numbers few. */
const digits = new Uint8Array(mostRead);
const lengths = new Uint8Array(mostGroups);
/** Where each group ends in the text, and what stands after it. */
const ends = new Float64Array(mostGroups);
const separators = new Uint16Array(mostGroups);
let digitCount = 0;
let groupCount = 0;
let hasParentheses = false;

/**
 * At `+`, `(` or a digit that begins a run. International numbers by calling code and length; national ones by the forms that are hard to
 * mistake (North America, a trunk 0 in groups, China's mobiles, area codes in parentheses); any other only after a word such as "tel".
 */
export function phone(text: string, at: number, floor: number, match: Match): boolean {
  const isPlus = text.charCodeAt(at) === plus;
  const isFirst = !isAfterNumber(text, at, floor);
  if (!isFirst && !mayBeNational(text, at)) return false;
  readGroups(text, isPlus ? at + 1 : at);
  if (digitCount < fewestDigits) return false;
  if (isPlus) return international(text, at, 0, match);
  if (isDate() || isDotted()) return false;
  const form = national(text);
  // In the middle of a row of numbers, what stands before is that row.
  if (form === 0 && !isFirst) return false;
  const words = wordsBefore(text, at, floor);
  const isNamed = isFirst && speaksOfPhone(words);
  if (!isNamed && (isPartOfSomething(text, at, floor) || speaksOfReference(words))) return false;
  if (digits[0] === 0 && digits[1] === 0 && (isNamed || groupCount > 2) && international(text, at, 2, match)) return true;
  if (form > 0) return found(match, 'phone', at, ends[formGroups - 1]!, isNamed ? 0.9 : form);
  const end = isNamed ? anyEnd(text) : 0;
  return end > 0 && found(match, 'phone', at, end, 0.85);
}

/** How national forms begin. A long row of numbers would else be read from each of its groups. */
function mayBeNational(text: string, at: number): boolean {
  const first = text.charCodeAt(at);
  if (!is(first, digit)) return true;
  if (first === 48) return text.charCodeAt(at + 1) !== 48;
  const length = digitsEnd(text, at) - at;
  return length === 3 || (length === 1 && first === 49);
}

/** Where the longest row of groups ends that may be a number, or 0: a date after a blank is none of it. */
function anyEnd(text: string): number {
  let total = digitCount;
  for (let count = groupCount; count > 0 && total >= fewestDigits; total -= lengths[--count]!) {
    const isParted = count === groupCount || separators[count - 1] === blank;
    if (total <= mostDigits && isParted && !goesOn(text, ends[count - 1]!)) return ends[count - 1]!;
  }
  return 0;
}

function readGroups(text: string, from: number): void {
  digitCount = groupCount = 0;
  hasParentheses = false;
  let at = from;
  while (groupCount < mostGroups) {
    if (text.charCodeAt(at) === leftParenthesis) {
      const close = digitsEnd(text, at + 1);
      if (hasParentheses || groupCount > 1 || close === at + 1 || close - at > 6 || text.charCodeAt(close) !== rightParenthesis) break;
      hasParentheses = true;
      // The (0) of "+44 (0)20" is dialled from inside only.
      const isTrunk = close - at === 2 && text.charCodeAt(at + 1) === 48;
      if (!isTrunk) push(text, at + 1, close, close + 1);
      at = isSeparator(text.charCodeAt(close + 1)) ? close + 2 : close + 1;
    }
    const end = digitsEnd(text, at);
    if (end === at || groupCount === mostGroups || digitCount + end - at > mostRead) break;
    push(text, at, end, end);
    const code = text.charCodeAt(end);
    if (code === leftParenthesis) at = end;
    else if (isSeparator(code)) at = end + 1;
    else break;
    // A row of single digits is no number, and would be read again from each of them.
    if (groupCount > 2 && lengths[groupCount - 1] === 1) break;
  }
}

function push(text: string, from: number, to: number, end: number): void {
  for (let at = from; at < to; at++) digits[digitCount++] = text.charCodeAt(at) - 48;
  lengths[groupCount] = to - from;
  ends[groupCount] = end;
  separators[groupCount++] = text.charCodeAt(end);
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (at - from <= mostRead && is(text.charCodeAt(at), digit)) at++;
  return at;
}

function isSeparator(code: number): boolean {
  return code === blank || code === hyphen || code === dot || code === slash || code === 0xa0;
}

/** The longest row of groups that makes a whole number: what follows may be another one. `skipped` are the digits of `00`. */
function international(text: string, at: number, skipped: number, match: Match): boolean {
  const limits = internationalLength(digits[skipped]!, digits[skipped + 1]!, digits[skipped + 2]!);
  if (!limits) return false;
  let end = 0;
  for (let group = 0, count = -skipped; group < groupCount; group++) {
    count += lengths[group]!;
    if (count > limits.max) break;
    if (count >= limits.min && !goesOn(text, ends[group]!)) end = ends[group]!;
  }
  return end > 0 && found(match, 'phone', at, end, skipped > 0 ? 0.85 : 0.95);
}

function goesOn(text: string, end: number): boolean {
  const next = text.charCodeAt(end);
  return continues(next) || ((next === hyphen || next === slash) && is(text.charCodeAt(end + 1), letter | digit));
}

function isAfterNumber(text: string, at: number, floor: number): boolean {
  return isSeparator(codeBefore(text, at - 1, floor)) && is(codeBefore(text, at - 2, floor), digit);
}

/** After a hyphen, dot or slash of something longer: the end of a UUID, a fraction, a path. Or a value that somebody named. */
function isPartOfSomething(text: string, at: number, floor: number): boolean {
  const before = codeBefore(text, at - 1, floor);
  if (before === 61 || before === 35) return true;
  return (before === hyphen || before === dot || before === slash || before === 44) && is(codeBefore(text, at - 2, floor), digit | letter);
}

function isDate(): boolean {
  if (groupCount < 3 || separators[0] !== separators[1] || lengths[1]! > 2) return false;
  const yearAt = lengths[0] === 4 ? 0 : lengths[0]! <= 2 && lengths[2] === 4 ? lengths[0]! + lengths[1]! : -1;
  if (yearAt < 0) return false;
  const century = digits[yearAt]! * 10 + digits[yearAt + 1]!;
  return century >= 19 && century <= 21;
}

/** `127.0.0.100`, and versions. */
function isDotted(): boolean {
  if (groupCount !== 4) return false;
  for (let group = 0; group < 4; group++) if (lengths[group]! > 3 || (group < 3 && separators[group] !== dot)) return false;
  return true;
}

/** How many groups `national` found to be the number. */
let formGroups = 0;

/** The confidence in the longest row of groups that has the form of a national number, or 0. */
function national(text: string): number {
  for (formGroups = groupCount; formGroups >= 2; formGroups--) {
    const isWhole = formGroups === groupCount;
    // A shorter row ends where a blank parts it from the next number.
    if (!isWhole && separators[formGroups - 1] !== blank) continue;
    const confidence = formOf(formGroups);
    if (confidence > 0 && !goesOn(text, ends[formGroups - 1]!)) return confidence;
  }
  return 0;
}

/** Of area codes in parentheses: Brazil, Germany, Britain, Mexico, Japan, Argentina. */
const withParentheses = new Set([
  244, 254, 234, 343, 334, 333, 344, 243, 233, 28, 37, 38, 46, 47, 48, 35, 36, 56, 57, 45, 444, 433, 434, 422, 3222, 3322, 2444,
]);

function formOf(count: number): number {
  let shape = 0;
  let total = 0;
  let isEven = true;
  // 0 (212) 555 12 34, 8 (495) 555-12-34
  const first = hasParentheses && lengths[0] === 1 ? 1 : 0;
  for (let group = first; group < count; group++) {
    shape = shape * 10 + Math.min(9, lengths[group]!);
    total += lengths[group]!;
    if (group > 0 && group < count - 1 && separators[group] !== separators[0]) isEven = false;
  }
  const separator = separators[0];
  const area = shape === 1334 && digits[0] === 1 ? 1 : 0;
  if ((shape === 334 || area === 1) && digits[area]! >= 2 && digits[area + 3]! >= 2) {
    if (hasParentheses) return 0.9;
    return isEven && separator !== slash ? (separator === blank ? 0.6 : 0.8) : 0;
  }
  if (hasParentheses) return total >= 8 && withParentheses.has(shape) ? 0.75 : 0;
  if (!isEven) return 0;
  if (shape === 344 && digits[0] === 1 && digits[1]! >= 3) return 0.75;
  if (digits[0] !== 0 || digits[1] === 0 || total < 9 || total > 11) return 0;
  if (count >= 3) {
    if (lengths[0]! > 5) return 0;
    for (let group = 1; group < count; group++) if (lengths[group]! < 2 || lengths[group]! > 4) return 0;
    return separator === dot ? 0.6 : 0.75;
  }
  // 030 12345678, 0171/1234567
  return lengths[0]! >= 3 && lengths[0]! <= 5 && lengths[1]! >= 6 && (separator === blank || separator === slash) ? 0.6 : 0;
}
