import { found, type Match } from '../finding.ts';
import { atSign, codeBefore, digit, is, keyCharacter, letter, slash } from '../text/index.ts';

const longestScheme = 20;
/** Of a user without a password: a token, as `https://<token>@host`. */
const shortestToken = 16;

/**
 * At the colon of `://`. User and password of a URL are the span, and not its host: an operator must see which database it was. The last `@`
 * before the path counts, since people write `@` into passwords unencoded. Reads up to the next slash, so that no two calls read the same.
 */
export function connectionString(text: string, at: number, floor: number, match: Match): boolean {
  if (text.charCodeAt(at + 1) !== slash || text.charCodeAt(at + 2) !== slash) return false;
  let scheme = at;
  const lowest = Math.max(floor, at - longestScheme);
  while (scheme > lowest && isScheme(text.charCodeAt(scheme - 1))) scheme--;
  if (scheme === at || !is(codeBefore(text, at - 1, floor), letter | digit)) return false;
  const from = at + 3;
  let end = 0;
  let firstColon = 0;
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === atSign) end = index;
    else if (code === 58 && firstColon === 0 && end === 0) firstColon = index;
    else if (isEnd(code)) break;
  }
  if (end === 0) return false;
  if (firstColon > 0) return end > firstColon + 1 && found(match, 'connection_string', from, end, 0.97);
  if (end - from < shortestToken) return false;
  for (let index = from; index < end; index++) if (!is(text.charCodeAt(index), keyCharacter)) return false;
  return found(match, 'connection_string', from, end, 0.7);
}

function isScheme(code: number): boolean {
  return is(code, letter | digit) || code === 43 || code === 45 || code === 46;
}

/** Slash, blank and what is before it, quotes, backslash, `<`, `>`. */
function isEnd(code: number): boolean {
  return code === slash || code <= 32 || code === 34 || code === 39 || code === 96 || code === 92 || code === 60 || code === 62;
}
