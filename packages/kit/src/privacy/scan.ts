import {
  apiKey,
  assignment,
  bearerToken,
  card,
  connectionString,
  email,
  iban,
  ipv4,
  ipv6,
  jwt,
  phone,
  privateKey,
  ssn,
} from './detectors/index.ts';
import type { Finding, Match } from './finding.ts';
import {
  backslash,
  codeBefore,
  digit as digitBit,
  dot,
  hexadecimal,
  hyphen,
  is,
  isAccented,
  letter as letterBit,
  slash,
  underscore,
} from './text/index.ts';

/** Whether a match counts; one that does not is read over, and something else may be found in its place. */
export type Accepts = (match: Match) => boolean;

const plain = 0;
const letter = 1;
const digit = 2;
const sign = 3;

const actions = new Uint8Array(128);
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ') actions[character.charCodeAt(0)] = letter;
for (const character of '0123456789') actions[character.charCodeAt(0)] = digit;
for (const character of '@%:=+(-\\') actions[character.charCodeAt(0)] = sign;

/**
 * One pass: letters and digits are looked at where a word begins, the others of these only where they stand, and everything else is
 * stepped over. What was found is never read again; what was not costs its detector a bounded number of characters, or a run that
 * is remembered as read. So the work grows as the text does, whatever it holds.
 */
export function scan(text: string, accepts: Accepts): Finding[] {
  const length = text.length;
  const findings: Finding[] = [];
  const match: Match = { type: 'email', start: 0, end: 0, confidence: 0 };
  let at = 0;
  let floor = 0;
  let escapeEnd = 0;
  /** Up to where runs of hexadecimal digits and colons, and of base64url, were read in vain. */
  let noIpv6Before = 0;
  let noJwtBefore = 0;
  const isFound = (hit: boolean): boolean => {
    if (!hit || match.start < floor || match.end <= match.start || !accepts(match)) return false;
    findings.push({ type: match.type, start: match.start, end: match.end, confidence: match.confidence });
    at = floor = match.end;
    return true;
  };

  while (at < length) {
    const code = text.charCodeAt(at);
    const action = code < 128 ? actions[code]! : plain;
    if (action === plain) {
      at++;
    } else if (action === letter) {
      const before = codeBefore(text, at - 1, floor);
      if (!isAccented(before) && isFound(word(text, at, code))) continue;
      at = wordEnd(text, at + 1);
    } else if (action === digit) {
      const before = codeBefore(text, at - 1, floor);
      const isInside = before === underscore || isAccented(before) || (before === dot && is(codeBefore(text, at - 2, floor), digitBit));
      if (!isInside && number(text, at, before)) continue;
      at = wordEnd(text, at + 1);
    } else if (!atSign(text, at, code)) {
      // What follows the backslash of an escape is no part of the word after it.
      if (code === backslash && isEscape(text.charCodeAt(at + 1))) escapeEnd = at += isUnicodeEscape(text, at) ? 6 : 2;
      else at++;
    }
  }
  return findings;

  function word(text: string, at: number, code: number): boolean {
    if (apiKey(text, at, floor, match)) return true;
    const folded = code | 32;
    if (folded === 98 && bearerToken(text, at, floor, match)) return true;
    if (code === 101 && at >= noJwtBefore && text.charCodeAt(at + 1) === 121 && text.charCodeAt(at + 2) === 74) {
      if (jwt(text, at, floor, match)) return true;
      noJwtBefore = match.end;
    }
    return is(text.charCodeAt(at + 2), digitBit) && iban(text, at, floor, match);
  }

  function number(text: string, at: number, before: number): boolean {
    // Also one that nobody asked for is an address, and no telephone number in four groups.
    if (ipv4(text, at, floor, match)) return isFound(true);
    const isJoined = (before === hyphen || before === slash) && is(codeBefore(text, at - 2, floor), letterBit | digitBit);
    if ((!isJoined || before === slash) && isFound(card(text, at, floor, match))) return true;
    if (!isJoined && isFound(ssn(text, at, floor, match))) return true;
    return isFound(phone(text, at, floor, match));
  }

  function atSign(text: string, at: number, code: number): boolean {
    if (code === 64) return isFound(email(text, at, floor, match));
    if (code === 37) return text.charCodeAt(at + 1) === 52 && text.charCodeAt(at + 2) === 48 && isFound(email(text, at, floor, match));
    if (code === 61) return isFound(assignment(text, at, floor, match));
    if (code === hyphen) return isFound(privateKey(text, at, floor, match));
    if (code === 58) {
      if (isFound(connectionString(text, at, floor, match)) || isFound(assignment(text, at, floor, match))) return true;
      if (at < noIpv6Before) return false;
      if (isFound(ipv6(text, at, floor, match))) return true;
      noIpv6Before = match.end;
      return false;
    }
    if (code === backslash) return false;
    // + and (
    const before = codeBefore(text, at - 1, Math.max(floor, escapeEnd));
    return (
      !is(before, letterBit | digitBit) &&
      before !== underscore &&
      startsNumber(text.charCodeAt(at + 1), code) &&
      isFound(phone(text, at, floor, match))
    );
  }
}

function startsNumber(next: number, sign: number): boolean {
  return is(next, digitBit) || (next === 40 && sign === 43);
}

function wordEnd(text: string, from: number): number {
  let at = from;
  while (is(text.charCodeAt(at), letterBit | digitBit)) at++;
  return at;
}

/** `\u001b`, with which colours of a terminal begin. */
function isUnicodeEscape(text: string, at: number): boolean {
  if (text.charCodeAt(at + 1) !== 117) return false;
  for (let index = at + 2; index < at + 6; index++) if (!is(text.charCodeAt(index), hexadecimal)) return false;
  return true;
}

function isEscape(code: number): boolean {
  return (
    code === 110 ||
    code === 114 ||
    code === 116 ||
    code === 98 ||
    code === 102 ||
    code === 117 ||
    code === 34 ||
    code === slash ||
    code === backslash
  );
}
