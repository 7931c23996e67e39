import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

export type ReceivedValue =
  | { readonly type: 'string' | 'boolean' | 'int' | 'double'; readonly value: string | boolean | number }
  | { readonly type: `${string}[]`; readonly value: readonly unknown[] };

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  /** With the type that they had on the wire. */
  readonly typed: Readonly<Record<string, ReceivedValue>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: { readonly name: string; readonly version: string };
}

export interface ReceivedExport {
  readonly spans: readonly ReceivedSpan[];
  readonly headers: IncomingMessage['headers'];
}

/** What to answer to an export: default 200 and nothing. */
export interface ReceiverAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly rejectedSpans?: number;
  /** Takes it and says nothing. */
  readonly silent?: boolean;
}

export interface OtlpReceiver {
  /** Base, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it. */
  readonly url: string;
  /** Every request, those too that were refused. */
  readonly exports: readonly ReceivedExport[];
  /** Of the exports that were taken. */
  readonly spans: readonly ReceivedSpan[];
  /** In order; the last one stays. */
  answerWith(...answers: readonly ReceiverAnswer[]): void;
  /** Resolves when there are that many requests. */
  received(count: number): Promise<void>;
  /** Resolves with the spans of one trace, when its root is there. */
  traceOf(isRoot: (span: ReceivedSpan) => boolean): Promise<readonly ReceivedSpan[]>;
  close(): Promise<void>;
}

const protos = new protobuf.Root();
const folder = path.join(import.meta.dirname, 'otlp');
protos.resolvePath = (_origin, target) => (path.isAbsolute(target) ? target : path.join(folder, target));
protos.loadSync('opentelemetry/proto/collector/trace/v1/trace_service.proto');
const exportRequest = protos.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest');
const exportResponse = protos.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse');

/** A receiver of traces that decodes what arrives by the protocol, and answers as it is told. `path`: where it takes them. */
export async function startOtlpReceiver(path = '/v1/traces'): Promise<OtlpReceiver> {
  const exports: ReceivedExport[] = [];
  const spans: ReceivedSpan[] = [];
  let answers: readonly ReceiverAnswer[] = [{}];
  let listeners: (() => void)[] = [];

  function until<Found>(find: () => Found | undefined): Promise<Found> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        listeners = listeners.filter((each) => each !== look);
        resolve(found);
      };
      listeners.push(look);
      look();
    });
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answers[0] ?? {};
      if (answers.length > 1) answers = answers.slice(1);
      const received = decode(request, Buffer.concat(chunks), path);
      exports.push(received);
      if ((answer.status ?? 200) === 200 && !answer.silent) spans.push(...received.spans);
      if (!answer.silent) reply(request, response, answer);
      for (const listener of listeners) listener();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exports,
    spans,
    answerWith: (...given) => void (answers = given),
    received: (count) => until(() => (exports.length >= count ? true : undefined)).then(() => {}),
    async traceOf(isRoot) {
      const root = await until(() => spans.find(isRoot));
      return spans.filter(({ traceId }) => traceId === root.traceId);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(request: IncomingMessage, response: ServerResponse, { status = 200, headers = {}, rejectedSpans }: ReceiverAnswer): void {
  const body = rejectedSpans === undefined ? {} : { partialSuccess: { rejectedSpans, errorMessage: 'too old' } };
  const isJson = request.headers['content-type'] === 'application/json';
  const bytes = isJson ? Buffer.from(JSON.stringify(body)) : exportResponse.encode(exportResponse.fromObject(body)).finish();
  response.writeHead(status, { ...headers, 'content-type': request.headers['content-type'] });
  response.end(bytes);
}

function decode(request: IncomingMessage, bytes: Buffer, expectedPath: string): ReceivedExport {
  const { headers } = request;
  if (request.url !== expectedPath || request.method !== 'POST') throw new Error(`an export went to ${request.method} ${request.url}`);
  const body = headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
  const message: any =
    headers['content-type'] === 'application/json'
      ? JSON.parse(body.toString())
      : exportRequest.toObject(exportRequest.decode(body), { longs: String, enums: Number });
  const spans: ReceivedSpan[] = [];
  for (const { resource, scopeSpans } of message.resourceSpans) {
    for (const { scope, spans: ofScope } of scopeSpans) {
      for (const span of ofScope) spans.push(toSpan(span, plain(typedOf(resource.attributes)), scope));
    }
  }
  return { spans, headers };
}

function toSpan(span: any, resource: Readonly<Record<string, unknown>>, scope: any): ReceivedSpan {
  const typed = typedOf(span.attributes ?? []);
  const parentSpanId = hex(span.parentSpanId ?? '');
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
    traceState: span.traceState ?? '',
    flags: span.flags ?? 0,
    name: span.name,
    kind: (['internal', 'server', 'client'] as const)[span.kind - 1]!,
    startNanos: BigInt(span.startTimeUnixNano),
    endNanos: BigInt(span.endTimeUnixNano),
    typed,
    attributes: plain(typed),
    failed: span.status?.code === 2,
    links: (span.links ?? []).map((link: any) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
    resource,
    scope: { name: scope.name, version: scope.version },
  };
}

/** Bytes of protobuf, hex digits of JSON. */
function hex(value: Uint8Array | string): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString('hex');
}

function typedOf(attributes: readonly any[]): Record<string, ReceivedValue> {
  const typed: Record<string, ReceivedValue> = {};
  for (const { key, value } of attributes) {
    if (key in typed) throw new Error(`the attribute ${key} is there twice`);
    typed[key] = valueOf(value);
  }
  return typed;
}

function valueOf(value: any): ReceivedValue {
  if (value.arrayValue) {
    const items = (value.arrayValue.values ?? []).map(valueOf);
    return { type: `${items[0]?.type ?? 'string'}[]`, value: items.map((item: ReceivedValue) => item.value) };
  }
  if (value.stringValue !== undefined) return { type: 'string', value: value.stringValue };
  if (value.boolValue !== undefined) return { type: 'boolean', value: value.boolValue };
  if (value.intValue !== undefined) return { type: 'int', value: Number(value.intValue) };
  if (value.doubleValue !== undefined) return { type: 'double', value: value.doubleValue };
  throw new Error(`no value: ${JSON.stringify(value)}`);
}

function plain(typed: Readonly<Record<string, ReceivedValue>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(typed).map(([name, { value }]) => [name, value]));
}
