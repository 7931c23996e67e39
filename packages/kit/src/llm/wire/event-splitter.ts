import { AttemptError } from '../spec/index.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Cuts a stream of bytes into whole server-sent events, as slices that include their blank line. Lines may end in LF or
 * CRLF. (The standard also allows a lone CR; no provider sends it, and to accept it would mean to hold back every event
 * until the byte after it is known. Such a stream ends as `stream_cut`.)
 */
export class EventSplitter {
  readonly #maxEventBytes: number;
  #carry: Buffer[] = [];
  #carriedBytes = 0;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** Bytes of an event that has begun and not ended. */
  get pendingBytes(): number {
    return this.#carriedBytes;
  }

  /**
   * Calls `onEvent(bytes, start, end)` for each event that is whole now. Throws `provider_too_large` when one event grows
   * beyond the bound, so that an endless line cannot fill the memory.
   */
  push(chunk: Buffer, onEvent: (bytes: Buffer, start: number, end: number) => void): void {
    let bytes = chunk;
    let from = 0;
    if (this.#carriedBytes > 0) {
      // A boundary may lie across the cut, at most three bytes back: only then are the pieces joined.
      this.#carry.push(chunk);
      this.#carriedBytes += chunk.length;
      if (this.#carriedBytes > this.#maxEventBytes && endOfEvent(this.#lookBack(chunk), 0) < 0) throw this.#tooLarge();
      if (chunk.indexOf(lineFeed) < 0) return;
      bytes = Buffer.concat(this.#carry, this.#carriedBytes);
      from = Math.max(0, bytes.length - chunk.length - 3);
      this.#carry = [];
      this.#carriedBytes = 0;
    }
    let start = 0;
    for (;;) {
      const end = endOfEvent(bytes, from);
      if (end < 0) break;
      onEvent(bytes, start, end);
      start = end;
      from = end;
    }
    if (start < bytes.length) {
      const rest = start === 0 ? bytes : bytes.subarray(start);
      if (rest.length > this.#maxEventBytes) throw this.#tooLarge();
      this.#carry.push(rest);
      this.#carriedBytes = rest.length;
    }
  }

  #lookBack(chunk: Buffer): Buffer {
    const before = this.#carry[this.#carry.length - 2];
    return before ? Buffer.concat([before.subarray(Math.max(0, before.length - 3)), chunk]) : chunk;
  }

  #tooLarge(): AttemptError {
    return new AttemptError('provider_too_large', { detail: `one event is larger than ${this.#maxEventBytes} bytes` });
  }
}

/** Index behind the first blank line at or after `from`, or -1. */
function endOfEvent(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(lineFeed, from);
  while (at >= 0) {
    const next = bytes[at + 1];
    if (next === lineFeed) return at + 2;
    if (next === carriageReturn && bytes[at + 2] === lineFeed) return at + 3;
    at = bytes.indexOf(lineFeed, at + 1);
  }
  return -1;
}
