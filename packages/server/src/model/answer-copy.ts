/** Bytes of an answer that are kept for a trace: what a span can hold of text is less. */
const maxBytes = 64 * 1024;

/** The beginning of an answer, for a trace that was asked to hold what was said. */
export class AnswerCopy {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  add(bytes: Buffer): void {
    const room = maxBytes - this.#bytes;
    if (room <= 0) return;
    // Copied: a slice would keep what it was cut from, which is as large as a provider makes it.
    const piece = Buffer.from(bytes.subarray(0, room));
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }
}
