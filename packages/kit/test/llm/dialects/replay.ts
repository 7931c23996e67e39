import { readFileSync } from 'node:fs';
import {
  AttemptError,
  readShallowBody,
  type AttemptHead,
  type AttemptRequest,
  type AttemptSink,
  type Dialect,
  type Provider,
} from '../../../src/llm/spec/index.ts';
import { AnthropicInspector, OpenaiInspector, readAnthropicUsage, readOpenaiUsage, StreamReader } from '../../../src/llm/wire/index.ts';
import { Cancellation } from '../../../src/time/index.ts';

export function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/dialects/${name}`, import.meta.url), 'utf8');
}

export interface Replay {
  readonly dialect: Dialect;
  /** A whole body, or the bytes of a stream. */
  readonly answer: string;
  /** Where the stream is cut on its way in; default: not at all. */
  readonly cut?: (bytes: Buffer) => readonly Buffer[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ReplayProvider extends Provider {
  /** What it was asked, parsed. */
  readonly asked: Record<string, unknown>[];
  readonly requests: AttemptRequest[];
}

/** A provider that gives a recorded answer, read by the reader that the real ones use. */
export function replayProvider(replay: Replay): ReplayProvider {
  const asked: Record<string, unknown>[] = [];
  const requests: AttemptRequest[] = [];
  const head: AttemptHead = { headers: replay.headers ?? {} };
  return {
    name: 'replay',
    kind: replay.dialect,
    dialect: replay.dialect,
    asked,
    requests,
    supports: (operation) => operation === 'chat',
    close: async () => {},
    async attempt(request, sink) {
      asked.push(JSON.parse(request.body.bytes.toString()) as Record<string, unknown>);
      requests.push(request);
      sink.connected();
      return request.stream ? readStream(replay, request, head, sink) : readPlain(replay, head);
    },
  };
}

function readPlain(replay: Replay, head: AttemptHead) {
  const tail = Buffer.from(replay.answer);
  const body = tryParse(replay.answer);
  const openai = replay.dialect === 'openai';
  const choices = body['choices'] as { finish_reason?: string }[] | undefined;
  return {
    head,
    tail,
    usage: openai ? readOpenaiUsage(body['usage']) : readAnthropicUsage(body['usage']),
    finishReason: openai ? choices?.[0]?.finish_reason : (body['stop_reason'] as string | undefined),
    servedModel: body['model'] as string | undefined,
    outputBytes: 7,
  };
}

function tryParse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

async function readStream(replay: Replay, request: AttemptRequest, head: AttemptHead, sink: AttemptSink) {
  const openai = replay.dialect === 'openai';
  const reader = new StreamReader({
    inspector: openai ? new OpenaiInspector(1) : new AnthropicInspector(),
    sink,
    head,
    dropUsageEvents: openai,
    endMark: Buffer.from(openai ? 'data: [DONE]\n\n' : 'event: message_stop\ndata: {"type":"message_stop"}\n\n'),
    endMarkSuffices: false,
    maxEventBytes: 1 << 20,
    classifyError: () => 'provider_failed',
  });
  const bytes = Buffer.from(replay.answer);
  for (const piece of replay.cut ? replay.cut(bytes) : [bytes]) {
    const flowing = reader.push(Buffer.from(piece));
    if (!flowing) await new Promise<void>((resolve) => sink.drained(resolve));
    if (request.cancellation.cancelled)
      throw new AttemptError('client_closed', { cause: request.cancellation.reason, partial: reader.partial() });
  }
  return reader.end();
}

export function attemptRequest(dialect: Dialect, body: unknown, extra: Partial<AttemptRequest> = {}): AttemptRequest {
  const read = readShallowBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  return {
    operation: 'chat',
    dialect,
    model: 'the-model',
    stream: read.value['stream'] === true,
    body: read,
    headers: {},
    cancellation: new Cancellation(),
    ...extra,
  };
}

/** A sink that keeps what it is given. */
export class CollectingSink implements AttemptSink {
  readonly pieces: string[] = [];
  readonly calls: string[] = [];
  headers: Readonly<Record<string, string>> | undefined;
  connected(): void {
    this.calls.push('connected');
  }
  pulse(): void {}
  head(head: AttemptHead): void {
    this.calls.push('head');
    this.headers = head.headers;
  }
  data(bytes: Buffer): boolean {
    this.calls.push('data');
    this.pieces.push(bytes.toString());
    return true;
  }
  drained(callback: () => void): void {
    callback();
  }
}
