const quote = 0x22;
const backslash = 0x5c;

/**
 * Whether the JSON text nests deeper than `maxDepth` arrays and objects, found without parsing it: a parser recurses or
 * allocates for each level, this keeps one number. Text that is no JSON gets some answer; the parser refuses it anyway.
 */
export function jsonDepthExceeds(bytes: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  const length = bytes.length;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]!;
    if (byte === quote) {
      at = endOfString(bytes, at + 1);
    } else if ((byte | 0x20) === 0x7b) {
      // `[` is 0x5b and `{` is 0x7b: one bit apart, as are `]` and `}`.
      if (++depth > maxDepth) return true;
    } else if ((byte | 0x20) === 0x7d) {
      depth--;
    }
  }
  return false;
}

/** Where the string that begins at `from` has its closing quote; the end of the text when it has none. */
function endOfString(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  // Most strings are short, where a loop beats a native search; images in base64 are not.
  const near = Math.min(length, from + 64);
  let at = from;
  for (; at < near; at++) {
    const byte = bytes[at]!;
    if (byte === quote) return at;
    if (byte === backslash) at++;
  }
  for (;;) {
    const end = bytes.indexOf(quote, at);
    if (end < 0) return length;
    let backslashes = 0;
    // Backslashes before `at` were read by the loop above and belong to an escape that ended there.
    while (end - 1 - backslashes >= at && bytes[end - 1 - backslashes] === backslash) backslashes++;
    if (backslashes % 2 === 0) return end;
    at = end + 1;
  }
}
