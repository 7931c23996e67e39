import type { Cancellation } from '../../../time/index.ts';
import type { Span } from '../span.ts';

/** What became of a batch, in spans. */
export interface ExportResult {
  readonly exported: number;
  /** Refused by the receiver, for good. */
  readonly rejected: number;
  /** Given up: the receiver could not be reached, or did not take them, for too long. */
  readonly failed: number;
}

/** Where spans go. */
export interface SpanExporter {
  /** Resolves when the batch is through, or given up; never rejects. MUST end soon, with what is left as failed, once it is cancelled. */
  export(spans: readonly Span[], cancellation: Cancellation): Promise<ExportResult>;
  /** The end is near: what waits for its next attempt is attempted now. */
  hurry?(): void;
  close(): Promise<void>;
}
