import { found, type Match } from '../finding.ts';
import { blank, continues, digit, hyphen, is, letter, upper } from '../text/index.ts';

/** Lengths by country: SWIFT IBAN registry, release 99. */
const lengths: Readonly<Record<string, number>> = Object.freeze({
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BI: 27,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DJ: 27,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FK: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GI: 23,
  GL: 18,
  GR: 27,
  GT: 28,
  HN: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IQ: 23,
  IS: 26,
  IT: 27,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MN: 20,
  MR: 27,
  MT: 31,
  MU: 30,
  NI: 28,
  NL: 18,
  NO: 15,
  OM: 23,
  PK: 24,
  PL: 28,
  PS: 29,
  PT: 25,
  QA: 29,
  RO: 24,
  RS: 22,
  RU: 33,
  SA: 24,
  SC: 31,
  SD: 18,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  SO: 23,
  ST: 25,
  SV: 28,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  XK: 20,
  YE: 30,
});

/** At a letter. ISO 13616: the country's length, and the remainder of 1 by 97 (ISO 7064). */
export function iban(text: string, at: number, _floor: number, match: Match): boolean {
  if (!is(text.charCodeAt(at + 2), digit) || !is(text.charCodeAt(at + 3), digit) || !is(text.charCodeAt(at + 1), letter)) return false;
  const length = lengths[text.slice(at, at + 2).toUpperCase()];
  if (length === undefined) return false;
  const isUpper = is(text.charCodeAt(at), upper);
  let remainder = 0;
  let count = 0;
  let position = at + 4;
  for (; count < length - 4; position++) {
    const code = text.charCodeAt(position);
    if (is(code, digit)) remainder = (remainder * 10 + code - 48) % 97;
    // An IBAN is written in one case; mixed it is a word with a number.
    else if (is(code, letter) && is(code, upper) === isUpper) remainder = (remainder * 100 + (code & 31) + 9) % 97;
    else if ((code === blank || code === hyphen) && is(text.charCodeAt(position + 1), digit | letter)) continue;
    else return false;
    count++;
  }
  for (const code of [text.charCodeAt(at), text.charCodeAt(at + 1)]) remainder = (remainder * 100 + (code & 31) + 9) % 97;
  remainder = (remainder * 100 + (text.charCodeAt(at + 2) - 48) * 10 + text.charCodeAt(at + 3) - 48) % 97;
  return remainder === 1 && !continues(text.charCodeAt(position)) && found(match, 'iban', at, position, 0.99);
}
