/**
 * A request body, read as far as the call path needs it and kept as the bytes that came, so that a provider of the same
 * dialect gets exactly those bytes. Made by `readShallowBody`.
 */
export interface ShallowBody {
  readonly bytes: Buffer;
  /** The parsed body. Not to be written to. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Byte ranges of the values of top-level members, `[start, end)`, for edits that leave all other bytes alone. */
  readonly members: ReadonlyMap<string, readonly [start: number, end: number]>;
}
