import type { Usage } from '../spec/index.ts';

/**
 * What one event of a stream is:
 * - `noise`: comment, ping, keep-alive. Nothing a reader misses.
 * - `opening`: announces an answer without any of it (a role, an empty message).
 * - `content`: a piece of the answer.
 * - `usage`: only tells what was used.
 * - `partial_finish`: says that one of several choices is finished. Clients take it for that choice's end.
 * - `finish`: says that the answer is finished. Clients take it for the end, so it waits for the ledger.
 * - `end`: the protocol's own end mark.
 * - `error`: the provider gave up in the middle.
 * - `malformed`: cannot be read.
 */
export type StreamEventKind = 'noise' | 'opening' | 'content' | 'usage' | 'partial_finish' | 'finish' | 'end' | 'error' | 'malformed';

/** Reads the events of one stream of one dialect; one object a stream. */
export interface StreamInspector {
  inspect(name: string | undefined, data: string | undefined): StreamEventKind;
  readonly usage: Usage | undefined;
  readonly finishReason: string | undefined;
  readonly servedModel: string | undefined;
  /** The provider's id of the answer. */
  readonly responseId: string | undefined;
  /** Bytes of text, tool arguments and reasoning seen so far (UTF-16 units where that is cheaper: an estimate's input). */
  readonly outputBytes: number;
  /** What the provider said went wrong; set when `error` was returned. */
  readonly error: { readonly type: string | undefined; readonly message: string | undefined } | undefined;
}
