import { isHoldfastError, toHoldfastError, type HoldfastError } from '../../errors/index.ts';
import type { AttemptHead, AttemptResult, AttemptSink } from '../spec/index.ts';
import { EventSplitter, readEventFields, type EventFields } from '../wire/index.ts';
import { isObject } from './json/index.ts';
import { malformed, type StreamTranslation } from './mapping/index.ts';
import { travellingHead } from './headers.ts';

/**
 * Stands between a provider and the client's sink and translates the events that pass. A sink may not throw into the
 * provider's reading: a stream that cannot be understood is given to `onFailure`, and nothing more is passed on.
 */
export class TranslatingSink implements AttemptSink {
  readonly #sink: AttemptSink;
  readonly #translation: StreamTranslation;
  readonly #onFailure: (failure: HoldfastError) => void;
  // The provider bounds its events; the splitter is here for sinks that are fed in other pieces than whole events.
  readonly #splitter = new EventSplitter(Number.POSITIVE_INFINITY);
  readonly #fields: EventFields = { name: undefined, data: undefined };
  #behind = false;
  #failure: HoldfastError | undefined;

  constructor(sink: AttemptSink, translation: StreamTranslation, onFailure: (failure: HoldfastError) => void) {
    this.#sink = sink;
    this.#translation = translation;
    this.#onFailure = onFailure;
  }

  /** Why the stream could not be translated. */
  get failure(): HoldfastError | undefined {
    return this.#failure;
  }

  connected(): void {
    this.#sink.connected();
  }

  pulse(): void {
    this.#sink.pulse();
  }

  head(head: AttemptHead): void {
    if (this.#failure === undefined) this.#sink.head(travellingHead(head));
  }

  data(bytes: Buffer): boolean {
    if (this.#failure !== undefined) return true;
    let text: string;
    try {
      text = this.#translate(bytes);
    } catch (thrown) {
      this.#failure = isHoldfastError(thrown) ? thrown : toHoldfastError(thrown);
      this.#onFailure(this.#failure);
      return true;
    }
    // Events without a counterpart write nothing, and must not tell a reader that is behind that it is not.
    if (text !== '' && !this.#sink.data(Buffer.from(text))) this.#behind = true;
    return !this.#behind;
  }

  drained(callback: () => void): void {
    this.#sink.drained(() => {
      this.#behind = false;
      callback();
    });
  }

  /** Translates the end of the stream, which never went through `data`. */
  end(result: AttemptResult): Buffer {
    // A provider that ends without the last blank line has still said its last event.
    return Buffer.from(this.#translate(result.tail) + this.#translate(Buffer.from('\n\n')) + this.#translation.end(result));
  }

  #translate(bytes: Buffer): string {
    let out = '';
    this.#splitter.push(bytes, (whole, start, end) => {
      readEventFields(whole, start, end, this.#fields);
      const { data } = this.#fields;
      if (data === undefined || data === '' || data === '[DONE]') return;
      out += this.#translation.event(parseEvent(data));
    });
    return out;
  }
}

function parseEvent(data: string): Record<string, unknown> {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch {
    // Not the parser's error, which quotes the event.
    throw malformed('an event that is not JSON');
  }
  if (!isObject(event)) throw malformed('an event that is no object');
  return event;
}
