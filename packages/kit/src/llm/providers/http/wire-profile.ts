import type { ErrorCode } from '../../../errors/index.ts';
import type { AttemptRequest, Dialect, Operation, Usage } from '../../spec/index.ts';
import type { StreamInspector } from '../../wire/index.ts';

/** What the provider said in an error: read from its own shape, never shown to a client as it is. */
export interface UpstreamError {
  readonly type: string | undefined;
  readonly message: string | undefined;
}

/** Everything in which one kind of provider differs from another; the rest is `HttpAttempt`. */
export interface WireProfile {
  readonly dialect: Dialect;
  /** The path of an operation below the base URL; undefined where the provider does not offer it. */
  path(operation: Operation): string | undefined;
  authorization(apiKey: string): Readonly<Record<string, string>>;
  /** Headers that every request carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** Client headers that may travel on. */
  readonly forwardedHeaders: readonly string[];
  /** Answer headers that may travel back. */
  readonly returnedHeaders: readonly string[];
  /** The header that holds the provider's own id of the request. */
  readonly requestIdHeader: string;
  body(request: AttemptRequest): { readonly bytes: Buffer; readonly dropUsageEvents: boolean };
  inspector(request: AttemptRequest): StreamInspector;
  readonly endMark: Buffer;
  readonly endMarkSuffices: boolean;
  /** Reads a whole answer. */
  read(operation: Operation, answer: Record<string, unknown>): PlainAnswer;
  error(answer: unknown): UpstreamError;
  /** Names the code of an error: by status, refined by what the provider said. */
  classify(status: number, error: UpstreamError): ErrorCode;
}

export interface PlainAnswer {
  readonly usage: Usage | undefined;
  readonly finishReason: string | undefined;
  readonly servedModel: string | undefined;
  readonly responseId: string | undefined;
  readonly outputBytes: number;
}
