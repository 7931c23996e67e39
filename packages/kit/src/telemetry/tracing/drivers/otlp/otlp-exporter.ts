import { systemClock, systemRandom, type Cancellation, type Clock, type Random } from '../../../../time/index.ts';
import type { ExportResult, SpanExporter } from '../../export/index.ts';
import type { AttributeValue, Span } from '../../span.ts';
import { encodeSpans, rejectedSpansOf, type OtlpProtocol } from './encode.ts';
import { OtlpSender } from './otlp-sender.ts';

export interface OtlpExporterOptions {
  /** Of the receiver's traces: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Sent with every request, such as a token. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `http/protobuf`. */
  readonly protocol?: OtlpProtocol;
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip';
  /** Of one attempt, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** Who this is: `service.name`, `service.version`, … */
  readonly resource: Readonly<Record<string, AttributeValue>>;
  /** Of the program, as the version of its instrumentation. Default none. */
  readonly version?: string;
  /** Told once for each failure in a row, so that a log has a line and not a flood. */
  readonly onFailure?: (error: unknown) => void;
  /** Told when a batch gets through after a failure. */
  readonly onRecovery?: () => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Sends spans by OTLP over HTTP. Batches that the receiver does not take are sent again, up to six times with growing waits or the one that
 * it asks for; a batch may so reach it twice. Needs the packages `@opentelemetry/otlp-transformer` and `@opentelemetry/api`.
 */
export function createOtlpExporter(options: OtlpExporterOptions): SpanExporter {
  const { url, headers = {}, protocol = 'http/protobuf', compression = 'none', timeoutMs = 10_000, resource, version = '' } = options;
  const { clock = systemClock, random = systemRandom, onFailure, onRecovery } = options;
  const contentType = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
  const sender = new OtlpSender({ url, headers, contentType, compression, timeoutMs, clock, random });
  let failing = false;

  return {
    async export(spans: readonly Span[], cancellation: Cancellation): Promise<ExportResult> {
      const count = spans.length;
      if (cancellation.cancelled) return { exported: 0, rejected: 0, failed: count };
      const body = await encodeSpans(spans, { resource, version }, protocol);
      const sent = await sender.send(body, cancellation);
      if (sent.outcome === 'taken') {
        if (failing) onRecovery?.();
        failing = false;
        const rejected = Math.min(count, Math.max(0, rejectedSpansOf(sent.body, protocol)));
        return { exported: count - rejected, rejected, failed: 0 };
      }
      if (!failing) onFailure?.(sent.error);
      failing = true;
      return sent.outcome === 'refused' ? { exported: 0, rejected: count, failed: 0 } : { exported: 0, rejected: 0, failed: count };
    },
    hurry: () => sender.hurry(),
    close: () => sender.close(),
  };
}
