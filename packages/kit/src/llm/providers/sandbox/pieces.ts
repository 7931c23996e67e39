/**
 * Pieces of about the size of a model's tokens, by rule and not by vocabulary: a word with the space before it, in steps
 * of seven letters; up to three digits or marks; one ideograph or kana; white space. English text comes out at about 1.3
 * pieces a word, as with the tokenizers of the large models. Joined, the pieces are the text.
 *
 * A real vocabulary (gpt-tokenizer) was measured and left out: 40–65 MiB of memory in a server that may use 150, and its
 * time grows with the square of a word's length: 18 s for 200,000 equal letters, which any client could send.
 */
const piece =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]| ?[[\p{L}\p{M}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]]{1,7}| ?\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]{1,3}|\s{1,16}/gv;

/** Counted exactly so far (UTF-16 units); the rest of a longer text is taken to be like its beginning. */
const maxCountedLength = 256 * 1024;

export function splitPieces(text: string): string[] {
  return text.match(piece) ?? [];
}

/** The number of pieces; for texts beyond 256 Ki letters an estimate, so that no prompt holds up the event loop. */
export function countPieces(text: string): number {
  if (text.length <= maxCountedLength) return splitPieces(text).length;
  const counted = splitPieces(text.slice(0, maxCountedLength)).length;
  return Math.ceil((counted / maxCountedLength) * text.length);
}

/** The first `most` pieces, without splitting the rest. */
export function firstPieces(text: string, most: number): string[] {
  // No piece is longer than 16 units.
  return splitPieces(text.slice(0, most * 16 + 16)).slice(0, most);
}
