// Classes of ASCII characters, one bit each, so that a test is one load and one mask.

export const digit = 1;
export const letter = 2;
export const hexadecimal = 4;
/** Of keys and of base64url. */
export const keyCharacter = 8;
/** RFC 7235 token68, and the dot of JWTs. */
export const tokenCharacter = 16;
/** Before the @ of an e-mail address, as people have them; quotes and the rarer signs of RFC 5321 would swallow code. */
export const localCharacter = 32;
export const domainCharacter = 64;
export const upper = 128;

const classes = new Uint8Array(128);
const put = (characters: string, bits: number) => {
  for (const character of characters) classes[character.charCodeAt(0)]! |= bits;
};
put('0123456789', digit | hexadecimal | keyCharacter | tokenCharacter | localCharacter | domainCharacter);
put('abcdefghijklmnopqrstuvwxyz', letter | keyCharacter | tokenCharacter | localCharacter | domainCharacter);
put('ABCDEFGHIJKLMNOPQRSTUVWXYZ', letter | upper | keyCharacter | tokenCharacter | localCharacter | domainCharacter);
put('abcdefABCDEF', hexadecimal);
put('_-', keyCharacter | tokenCharacter | localCharacter);
put('.~+/=', tokenCharacter);
put(".%+'", localCharacter);
put('-.', domainCharacter);

/** NaN, which `charCodeAt` gives past the end, is of no class. */
export function is(code: number, bits: number): boolean {
  return code < 128 && (classes[code]! & bits) !== 0;
}

/** Letters of the alphabets whose words are told apart by blanks: Latin with accents, Greek, Cyrillic, Armenian. Han and Kana touch what they stand beside. */
export function isAccented(code: number): boolean {
  return code >= 0xc0 && code < 0x590;
}

/** The character's code, or 0 where the scan may not look. */
export function codeBefore(text: string, at: number, floor: number): number {
  return at >= floor && at >= 0 ? text.charCodeAt(at) : 0;
}

/** The end of the run of characters of a class, `limit` at most. */
export function runEnd(text: string, from: number, bits: number, limit: number): number {
  const stop = Math.min(text.length, limit);
  let at = from;
  while (at < stop && is(text.charCodeAt(at), bits)) at++;
  return at;
}

/** Whether a word, a number or an address goes on at this character. */
export function continues(code: number): boolean {
  return is(code, digit | letter) || code === underscore || code === atSign || isAccented(code);
}

export const underscore = 95;
export const atSign = 64;
export const backslash = 92;
export const hyphen = 45;
export const dot = 46;
export const colon = 58;
export const slash = 47;
export const blank = 32;
export const quote = 34;
