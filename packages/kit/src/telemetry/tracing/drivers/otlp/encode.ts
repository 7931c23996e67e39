import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { AttributeValue, Span } from '../../span.ts';

export type OtlpProtocol = 'http/protobuf' | 'http/json';

/** Who sends: one for all spans of a process. */
export interface SpanSource {
  /** `service.name` and whatever else tells this process from others. */
  readonly resource: Readonly<Record<string, AttributeValue>>;
  readonly version: string;
}

type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;
const statusUnset = { code: SpanStatusCode.UNSET };
const statusError = { code: SpanStatusCode.ERROR };
const none: never[] = [];

/** Encoded at once: half a millisecond, after which whoever waits for the event loop has a turn. */
const spansATurn = 64;

/** One body for all spans. Encoded in pieces with a turn of the event loop between them. */
export async function encodeSpans(spans: readonly Span[], source: SpanSource, protocol: OtlpProtocol): Promise<Buffer> {
  const serializer = protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  const resource = resourceOf(source);
  const scope = { name: 'holdfast', version: source.version };
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < spans.length; from += spansATurn) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    const readable = spans.slice(from, from + spansATurn).map((span) => toReadable(span, resource, scope));
    pieces.push(serializer.serializeRequest(readable)!);
  }
  return protocol === 'http/json' ? joinJson(pieces) : Buffer.concat(pieces);
}

export function rejectedSpansOf(body: Uint8Array, protocol: OtlpProtocol): number {
  if (body.length === 0) return 0;
  const serializer = protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  try {
    return serializer.deserializeResponse(body).partialSuccess?.rejectedSpans ?? 0;
  } catch {
    // Collectors answer all kinds of things to a batch that they took.
    return 0;
  }
}

const jsonBegin = '{"resourceSpans":[';
const jsonEnd = ']}';

/** Messages of protobuf that follow each other are one, their lists joined; of JSON it is done by hand. */
function joinJson(pieces: readonly Uint8Array[]): Buffer {
  const lists = pieces.map((piece) =>
    Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString().slice(jsonBegin.length, -jsonEnd.length),
  );
  return Buffer.from(jsonBegin + lists.join(',') + jsonEnd);
}

type Resource = ReadableSpan['resource'];

function resourceOf({ resource }: SpanSource): Resource {
  const attributes = resource as Resource['attributes'];
  const made: Resource = {
    attributes,
    asyncAttributesPending: false,
    merge: () => made,
    getRawAttributes: () => Object.entries(attributes),
  };
  return made;
}

function toReadable(span: Span, resource: Resource, instrumentationScope: { name: string; version: string }): ReadableSpan {
  const traceFlags = span.sampled ? 1 : 0;
  const { traceId, spanId, parentSpanId, traceState, link } = span;
  const context = { traceId, spanId, traceFlags, ...(traceState !== undefined && { traceState: stateOf(traceState) }) };
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => context,
    ...(parentSpanId !== undefined && { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags, isRemote: span.hasRemoteParent } }),
    startTime: hrTime(span.startMs),
    endTime: hrTime(Math.max(span.startMs, span.endMs)),
    duration: [0, 0],
    ended: true,
    status: span.failed ? statusError : statusUnset,
    attributes: span.attributes as ReadableSpan['attributes'],
    links: link === undefined ? none : [{ context: { ...link, traceFlags: 0, isRemote: true } }],
    events: none,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Passed on as it came; nothing in it is ours to read. */
function stateOf(text: string) {
  const state = { get: () => undefined, set: () => state, unset: () => state, serialize: () => text };
  return state;
}

function hrTime(unixMs: number): [number, number] {
  const seconds = Math.floor(unixMs / 1000);
  return [seconds, Math.min(999_999_999, Math.round((unixMs - seconds * 1000) * 1e6))];
}
