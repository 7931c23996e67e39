import { found, type Match } from '../finding.ts';
import { blank, digit, is, runEnd, tokenCharacter, upper, wordsBefore } from '../text/index.ts';

const shortest = 8;
const longestProof = 64;
/** Words of prose are shorter. */
const surelyNoWord = 24;

/** At a word that may be `Bearer` or `Basic`, in any case. The span is that of the token alone. */
export function bearerToken(text: string, at: number, floor: number, match: Match): boolean {
  const length = schemeLength(text, at);
  if (length === 0) return false;
  let from = at + length;
  const gap = text.charCodeAt(from);
  if (gap === 37 && text.startsWith('%20', from)) from += 3;
  else if (gap !== blank && gap !== 58 && gap !== 9) return false;
  while (from < at + length + 4 && (text.charCodeAt(from) === blank || text.charCodeAt(from) === 58)) from++;
  const proof = runEnd(text, from, tokenCharacter, from + longestProof);
  if (proof - from < shortest) return false;
  const isHeader = /authorization["']?\s*[:=]\s*["']?\s*$/.test(wordsBefore(text, at, floor));
  if (!isHeader && !looksRandom(text, from, proof)) return false;
  return found(match, 'bearer_token', from, trimmed(text, from, runEnd(text, proof, tokenCharacter, text.length)), isHeader ? 0.98 : 0.9);
}

function schemeLength(text: string, at: number): number {
  const second = text.charCodeAt(at + 1) | 32;
  if (second === 101) return text.slice(at, at + 6).toLowerCase() === 'bearer' ? 6 : 0;
  if (second === 97) return text.slice(at, at + 5).toLowerCase() === 'basic' ? 5 : 0;
  return 0;
}

/** "Bearer authentication" and "basic functionality" are prose. */
function looksRandom(text: string, from: number, to: number): boolean {
  if (to - from >= surelyNoWord) return true;
  for (let at = from; at < to; at++) if (is(text.charCodeAt(at), digit) || (at > from && is(text.charCodeAt(at), upper))) return true;
  return false;
}

/** The dot that ends the sentence. */
function trimmed(text: string, from: number, end: number): number {
  let at = end;
  while (at > from + shortest && text.charCodeAt(at - 1) === 46) at--;
  return at;
}
