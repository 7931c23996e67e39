import { found, type Match } from '../finding.ts';
import { backslash, digit, hyphen, is, letter } from '../text/index.ts';

const begin = '-----BEGIN ';
const ending = '-----END ';
const longestLabel = 48;

/** At a hyphen. From the first hyphen to the last, RFC 7468; of one that was cut off, as far as what a key is made of goes on: half a key is a secret as well. */
export function privateKey(text: string, at: number, _floor: number, match: Match): boolean {
  if (text.charCodeAt(at + 1) !== hyphen || !text.startsWith(begin, at)) return false;
  const label = text.slice(at + begin.length, at + begin.length + longestLabel);
  const labelEnd = label.indexOf('-----');
  if (labelEnd < 0 || !label.slice(0, labelEnd).includes('PRIVATE KEY')) return false;
  let position = at + begin.length + labelEnd + 5;
  for (; isBody(text.charCodeAt(position)); position++) {
    if (text.charCodeAt(position) !== hyphen || !text.startsWith(ending, position)) continue;
    position += ending.length;
    while (isBody(text.charCodeAt(position)) && text.charCodeAt(position) !== hyphen) position++;
    while (text.charCodeAt(position) === hyphen) position++;
    // Cut off within its last line, inside of JSON: the backslash belongs to the quote after it.
    while (text.charCodeAt(position - 1) === backslash) position--;
    return found(match, 'private_key', at, position, 0.99);
  }
  while (position > at && (text.charCodeAt(position - 1) <= 32 || text.charCodeAt(position - 1) === backslash)) position--;
  return found(match, 'private_key', at, position, 0.95);
}

/** Base64, line breaks and the backslash of those in JSON, headers of encrypted keys. */
function isBody(code: number): boolean {
  return (
    is(code, letter | digit) ||
    code === hyphen ||
    (code >= 9 && code <= 13) ||
    code === 32 ||
    code === 43 ||
    code === 44 ||
    code === 47 ||
    code === 58 ||
    code === 61 ||
    code === backslash
  );
}
