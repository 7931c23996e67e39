import type { Dispatcher } from 'undici';
import type { ErrorCode } from '../../errors/index.ts';

type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What reads an answer. After `end` or `failed`, nothing more is called. */
export interface ResponseReader {
  /** A connection took the request. */
  connected(): void;
  response(status: number, headers: ResponseHeaders): void;
  /** Returns false to stop reading until `Exchange.resume`. */
  data(chunk: Buffer): boolean;
  end(): void;
  failed(failure: TransportFailure): void;
}

export interface TransportFailure {
  readonly code: Extract<ErrorCode, 'provider_unreachable' | 'stream_cut' | 'provider_malformed'>;
  readonly cause: unknown;
}

/** One request and its answer, on undici's cheapest interface (`dispatch` with one handler object). */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #reader: ResponseReader;
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;
  #connected = false;

  constructor(reader: ResponseReader) {
    this.#reader = reader;
  }

  /** Breaks the exchange off and closes its connection; the reader hears nothing more. Safe to call at any time. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('aborted by Holdfast'));
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#connected = true;
    // undici cannot take back a request that waits for a connection: one that was aborted meanwhile ends here, unsent.
    if (this.#over) controller.abort(new Error('aborted by Holdfast'));
    else this.#reader.connected();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    // 1xx are interim answers; the real one follows.
    if (!this.#over && status >= 200) this.#reader.response(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over && !this.#reader.data(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.failed({ code: this.#codeOf(error), cause: error });
  }

  #codeOf(error: Error & { code?: string }): TransportFailure['code'] {
    if (error.code?.startsWith('HPE_')) return 'provider_malformed';
    return this.#connected ? 'stream_cut' : 'provider_unreachable';
  }
}
