import { found, type Match } from '../finding.ts';
import { digit, dot, is, keyCharacter, letter, runEnd } from '../text/index.ts';

/** Of a header, in characters: some carry a certificate, and what the algorithm is stands in none of their beginnings for certain. */
const longestHeader = 8_192;

/** At `eyJ`, which is `{"` in base64url. `match.end` is where its run of characters ends also when it is none. RFC 7519, and JWE with five parts. */
export function jwt(text: string, at: number, _floor: number, match: Match): boolean {
  const header = runEnd(text, at, keyCharacter, text.length);
  match.end = header;
  if (text.charCodeAt(header) !== dot || header - at < 12) return false;
  const payload = runEnd(text, header + 1, keyCharacter, text.length);
  if (text.charCodeAt(payload) !== dot || payload === header + 1) {
    // What was cut off within its second part still tells whose it is.
    if (payload === text.length && payload > header + 1 && hasAlgorithm(text, at, header)) return found(match, 'jwt', at, payload, 0.8);
    match.end = payload;
    return false;
  }
  let end = runEnd(text, payload + 1, keyCharacter, text.length);
  for (let part = 0; part < 2 && text.charCodeAt(end) === dot && is(text.charCodeAt(end + 1), letter | digit); part++)
    end = runEnd(text, end + 1, keyCharacter, text.length);
  return found(match, 'jwt', at, end, hasAlgorithm(text, at, header) ? 0.99 : 0.8);
}

function hasAlgorithm(text: string, from: number, to: number): boolean {
  return Buffer.from(text.slice(from, Math.min(to, from + longestHeader)), 'base64url')
    .toString('latin1')
    .includes('"alg"');
}
