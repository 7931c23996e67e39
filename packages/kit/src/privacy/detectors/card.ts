import { found, type Match } from '../finding.ts';
import { blank, continues, digit, dot, hyphen, is, speaksOfCard, speaksOfReference, wordsBefore } from '../text/index.ts';

const shortest = 14;
const longest = 19;

/** At a digit that begins a run. Issuer's prefix, its lengths, Luhn's check digit (ISO/IEC 7812), and groups as they are on cards. */
export function card(text: string, at: number, floor: number, match: Match): boolean {
  const first = text.charCodeAt(at);
  if (first < 50 || first > 54) return false;
  let position = at;
  let count = 0;
  let group = 0;
  let separator = 0;
  // 4-4-4-4(-3), and 4-6-5 or 4-6-4 of American Express and Diners.
  for (;;) {
    const code = text.charCodeAt(position);
    if (is(code, digit)) {
      if (++count > longest) return false;
      group++;
      position++;
      continue;
    }
    if ((code !== blank && code !== hyphen) || !is(text.charCodeAt(position + 1), digit)) break;
    if (separator === 0 && count !== 4) break;
    if (separator !== 0 && (code !== separator || (group !== 4 && !(count === 10 && group === 6)))) break;
    if (count >= 16 || (separator !== 0 && count >= 14)) break;
    separator = code;
    group = 0;
    position++;
  }
  if (count < shortest || !isIssued(text, at, count) || continues(text.charCodeAt(position))) return false;
  if (text.charCodeAt(position) === dot && is(text.charCodeAt(position + 1), digit)) return false;
  if (!luhn(text, at, position)) return false;
  const words = wordsBefore(text, at, floor);
  if (speaksOfCard(words)) return found(match, 'card', at, position, 0.99);
  // One number in ten passes Luhn by chance: what is named as something else, or is as long as a snowflake, is no card.
  if (separator === 0 && (count > 16 || speaksOfReference(words))) return false;
  return found(match, 'card', at, position, separator === 0 ? 0.9 : 0.97);
}

/** Prefixes and lengths: Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro. */
function isIssued(text: string, at: number, count: number): boolean {
  let prefix = 0;
  for (let index = at, read = 0; read < 4; index++) {
    const code = text.charCodeAt(index);
    if (!is(code, digit)) continue;
    prefix = prefix * 10 + code - 48;
    read++;
  }
  const two = Math.floor(prefix / 100);
  if (prefix >= 4000 && prefix <= 4999) return count === 16 || count === 19;
  if ((two >= 51 && two <= 55) || (prefix >= 2221 && prefix <= 2720)) return count === 16;
  if (two === 34 || two === 37) return count === 15;
  if (two === 36 || two === 38 || (prefix >= 3000 && prefix <= 3059)) return count === 14;
  if (two === 62) return count >= 16;
  if (prefix === 6011 || two === 65 || (prefix >= 6440 && prefix <= 6499)) return count === 16 || count === 19;
  if (prefix >= 3528 && prefix <= 3589) return count === 16;
  return (two === 50 || (two >= 56 && two <= 58) || two === 63 || two === 67) && count === 16;
}

function luhn(text: string, from: number, to: number): boolean {
  let sum = 0;
  let isDouble = false;
  for (let at = to - 1; at >= from; at--) {
    let value = text.charCodeAt(at) - 48;
    if (value < 0) continue;
    if (isDouble && (value *= 2) > 9) value -= 9;
    sum += value;
    isDouble = !isDouble;
  }
  return sum % 10 === 0;
}
