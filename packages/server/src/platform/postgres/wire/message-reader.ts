/** Type and length in front of each message. */
const headLength = 5;
/** Longer messages than any that our statements are answered with: the length is read before its bytes are kept. */
const maxMessageLength = 1024 * 1024;

/**
 * Cuts what a server sends into messages. `onMessage` gets the type, and where its body lies in `bytes`, which are only valid during the call.
 * Throws on a length that no message has: from then on nothing that comes can be understood.
 */
export class MessageReader {
  readonly #onMessage: (type: number, bytes: Buffer, start: number, end: number) => void;
  #rest: Buffer | undefined;

  constructor(onMessage: (type: number, bytes: Buffer, start: number, end: number) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    while (bytes.length - at >= headLength) {
      const length = bytes.readInt32BE(at + 1);
      if (length < 4 || length > maxMessageLength) throw new TypeError(`a message of ${length} bytes`);
      const end = at + 1 + length;
      if (end > bytes.length) break;
      this.#onMessage(bytes[at]!, bytes, at + headLength, end);
      at = end;
    }
    if (at < bytes.length) this.#rest = bytes.subarray(at);
  }
}
