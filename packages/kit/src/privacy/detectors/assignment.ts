import { found, type Match } from '../finding.ts';
import {
  backslash,
  blank,
  codeBefore,
  colon,
  digit,
  hyphen,
  is,
  letter,
  quote,
  underscore,
  upper,
  isPlaceholder,
  isSecretName,
} from '../text/index.ts';

const longestName = 40;
const shortestProse = 6;
const apostrophe = 39;
const longestProof = 64;
const isNothing = /^(?:null|none|true|false|undefined|nil|\*+|x+|<[^>]*>|\$\{?\w*\}?|%s|\?+)$/i;

/** The last characters that names of secrets have: most names are done with here. */
const lastOfNames = new Uint8Array(128);
for (const character of 'ndtyesgcvkmrlpfNDTYESGCVKMRLPF') lastOfNames[character.charCodeAt(0)] = 1;

/**
 * At `=` or `:`. `password=hunter2`, `"api_key": "…"`, also in JSON that is itself a string of JSON, and header lines. The span is the value
 * without its quotes, so that what is left is still the same JSON.
 */
export function assignment(text: string, at: number, floor: number, match: Match): boolean {
  let nameEnd = at;
  while (nameEnd > floor && nameEnd > at - 3 && text.charCodeAt(nameEnd - 1) === blank) nameEnd--;
  let quoting = '';
  const last = codeBefore(text, nameEnd - 1, floor);
  if (last === quote || last === apostrophe) {
    nameEnd--;
    let slashes = nameEnd;
    while (slashes > floor && nameEnd - slashes < 16 && text.charCodeAt(slashes - 1) === backslash) slashes--;
    quoting = text.slice(slashes, nameEnd + 1);
    nameEnd = slashes;
  }
  const lastOfName = codeBefore(text, nameEnd - 1, floor);
  if (!(lastOfName < 128) || lastOfNames[lastOfName] === 0) return false;
  let nameStart = nameEnd;
  const lowest = Math.max(floor, nameEnd - longestName);
  while (nameStart > lowest && isName(text.charCodeAt(nameStart - 1))) nameStart--;
  const name = text.slice(nameStart, nameEnd);
  // `pass=3 fail=1` tells of tests; as a member of an object it is a password.
  if (!isSecretName(name) || (quoting === '' && name === 'pass')) return false;
  let from = at + 1;
  // `:=` and `=>`.
  if (text.charCodeAt(from) === 61 || text.charCodeAt(from) === 62) from++;
  while (from < at + 4 && text.charCodeAt(from) === blank) from++;
  return value(text, from, quoting, name.toLowerCase(), text.charCodeAt(at) === colon, match);
}

function isName(code: number): boolean {
  return is(code, letter | digit) || code === underscore || code === hyphen || code === 46;
}

function value(text: string, from: number, quoting: string, name: string, isColon: boolean, match: Match): boolean {
  let start = from;
  let end: number;
  const isList = quoting !== '' && text.charCodeAt(from) === 91 && text.startsWith(quoting, from + 1);
  const opening = isList ? quoting : openingQuote(text, from);
  if (opening !== '') {
    start = from + Number(isList) + opening.length;
    // The quote that ends the string in which the name stands, as in {"msg":"no password:","id":1}.
    if (quoting === '' && endsMember(text, start)) return false;
    end = isList ? listEnd(text, start, opening) : closingQuote(text, start, opening);
  } else {
    // A number, null or an object of JSON: a placeholder would break it.
    if (quoting !== '' && isColon && /[[{\d-]|null|true|false/y.test(text.slice(from, from + 5))) return false;
    const isCookie = isColon && name.endsWith('cookie');
    // Judged by its beginning: only what is found is read to its end.
    const beginning = text.slice(start, wordEnd(text, start, longestProof));
    if (name.endsWith('authorization') && isColon && isScheme(beginning)) return false;
    if (isColon && quoting === '' && !isCookie && !looksSecret(beginning)) return false;
    if (isNothing.test(beginning)) return false;
    end = isCookie ? lineEnd(text, start) : wordEnd(text, start, text.length);
  }
  if (end <= start || isPlaceholder(text, start, end)) return false;
  return found(match, 'secret', start, end, opening !== '' || !isColon ? 0.9 : 0.7);
}

/** A quote with the backslashes before it, or nothing. */
function openingQuote(text: string, from: number): string {
  let at = from;
  while (at < from + 16 && text.charCodeAt(at) === backslash) at++;
  const code = text.charCodeAt(at);
  return code === quote || code === apostrophe ? text.slice(from, at + 1) : '';
}

/**
 * The quote that closes: one with as many backslashes before it, not counting those that are of the value. Inside JSON that is `n` times a
 * string, a quote of the value has more of them, and a backslash of the value comes as a multiple of twice as many and two. One that is
 * missing leaves the secret to go on to the end.
 */
function closingQuote(text: string, from: number, opening: string): number {
  const mark = opening.charCodeAt(opening.length - 1);
  const own = opening.length - 1;
  for (let at = from; at < text.length; at++) {
    const begin = at;
    while (text.charCodeAt(at) === backslash) at++;
    const code = text.charCodeAt(at);
    if (mark === apostrophe && code === quote && endsMember(text, at + 1)) return begin;
    if (code !== mark) continue;
    const count = at - begin;
    if (count < own) return begin;
    if (count % (2 * (own + 1)) === own) return at - own;
  }
  return text.length;
}

const restOfJson = /^(?:$|\n|[}\]](?:$|[,}\]\s])|[,:] ?(?:["{[]|(?:true|false|null|-?\d[\d.eE+-]*)[,}\]]))/;

/** Whether JSON goes on here, so that the quote before is the end of a string and what was opened inside of it ends too. */
function endsMember(text: string, at: number): boolean {
  return restOfJson.test(text.slice(at, at + 32));
}

function listEnd(text: string, from: number, opening: string): number {
  for (let end = closingQuote(text, from, opening); ;) {
    const after = end + opening.length;
    if (text.charCodeAt(after) !== 44 || !text.startsWith(opening, after + 1)) return end;
    end = closingQuote(text, after + 1 + opening.length, opening);
  }
}

/** Of a header of cookies: to the end of the line, or to the quote around it. Quotes after `=` and before `;` are of a cookie. */
function lineEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const begin = at;
    while (text.charCodeAt(at) === backslash) at++;
    const code = text.charCodeAt(at);
    if (code === quote || code === apostrophe) {
      if (text.charCodeAt(begin - 1) !== 61 && text.charCodeAt(at + 1) !== 59) return begin;
    } else if (code === 10 || code === 13 || at > begin) return begin;
  }
  return text.length;
}

/** Blank, quote, `&`, `;`, `,`, closing brackets, backslash. */
function wordEnd(text: string, from: number, mostChars: number): number {
  const limit = Math.min(text.length, from + mostChars);
  let at = from;
  for (; at < limit; at++) {
    const code = text.charCodeAt(at);
    if (
      code <= 32 ||
      code === quote ||
      code === apostrophe ||
      code === 38 ||
      code === 59 ||
      code === 44 ||
      code === 41 ||
      code === 125 ||
      code === backslash
    )
      break;
  }
  return at;
}

/** Its token is a finding of its own. */
function isScheme(word: string): boolean {
  return /^(?:bearer|basic|digest|negotiate|token|apikey|api-key)$/i.test(word);
}

/** "password: must be set" is prose, "password: hunter2" is not. */
function looksSecret(word: string): boolean {
  if (word.length < shortestProse) return false;
  for (let at = 0; at < word.length; at++) {
    const code = word.charCodeAt(at);
    if (is(code, digit) || (at > 0 && is(code, upper))) return true;
    if (at < word.length - 1 && !is(code, letter) && code !== hyphen && code !== 46 && code < 128) return true;
  }
  return false;
}
