import type { Clock } from '../../time/index.ts';
import { anthropicBody, anthropicEvents } from './anthropic-answer.ts';
import { framed, writeEvents } from './answer-events.ts';
import type { AnswerWriter } from './answer-writer.ts';
import type { UpstreamBehaviour } from './behaviour.ts';
import { errorBody, errorHeaders } from './error-answer.ts';
import { hugePlaceholder, writeHuge } from './huge-line.ts';
import { openaiBody, openaiEmbeddings, openaiEvents } from './openai-answer.ts';
import type { ScriptRequest } from './script-request.ts';

export type ResponseHeaders = Readonly<Record<string, string>>;

const page = '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n';
const jsonType = { 'content-type': 'application/json' };
const streamType = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** Answers one request that has been read, as its behaviour says. `reset` is done by the server, before any writer. */
export async function answer(
  writer: AnswerWriter,
  request: ScriptRequest,
  behaviour: UpstreamBehaviour,
  base: ResponseHeaders,
  clock: Clock,
): Promise<void> {
  const kind = behaviour.kind ?? 'answer';
  const { dialect } = request;
  if (behaviour.headersDelayMs) await writer.pause(behaviour.headersDelayMs);
  if (writer.closed || kind === 'silent') return;
  if (kind === 'error') {
    const status = behaviour.status ?? (behaviour.reason === 'quota' && dialect === 'openai' ? 429 : behaviour.reason ? 400 : 500);
    return endWith(
      writer,
      status,
      { ...base, ...jsonType, ...errorHeaders(behaviour, clock.now()) },
      errorBody(dialect, behaviour, status),
    );
  }
  if (kind === 'html') return endWith(writer, behaviour.status ?? 200, { ...base, 'content-type': 'text/html; charset=utf-8' }, page);

  const streamed = request.stream && request.route === 'chat' && kind !== 'plain_on_stream';
  if (streamed) {
    writer.head(200, { ...base, ...streamType });
    if (kind === 'error_in_answer') return writeEvents(writer, [], { ...behaviour, errorAfter: 0 }, dialect, clock);
    if (kind === 'huge_line') return writeHugeEvent(writer, request, behaviour);
    return writeEvents(writer, eventsOf(request, behaviour), behaviour, dialect, clock);
  }

  if (behaviour.firstTokenDelayMs) await writer.pause(behaviour.firstTokenDelayMs);
  if (writer.closed) return;
  if (kind === 'error_in_answer')
    return endWith(writer, 200, { ...base, ...jsonType }, errorBody(dialect, behaviour, behaviour.status ?? 500));
  if (kind === 'huge_line') {
    writer.head(200, { ...base, ...jsonType });
    await writeHuge(writer, bodyOf(request, { ...behaviour, text: hugePlaceholder }), behaviour.megabytes ?? 100);
    return writer.end();
  }
  await endPlain(writer, Buffer.from(bodyOf(request, behaviour)), behaviour, base);
}

async function endPlain(writer: AnswerWriter, body: Buffer, behaviour: UpstreamBehaviour, base: ResponseHeaders): Promise<void> {
  if (behaviour.malformedAfter !== undefined) return endWith(writer, 200, { ...base, ...jsonType }, body.subarray(0, body.length >> 1));
  writer.head(200, { ...base, ...jsonType, 'content-length': body.length });
  if (behaviour.cutAfter === undefined && behaviour.silentAfter === undefined) return writer.end(body);
  await writer.write(body.subarray(0, body.length >> 1));
  // `end` would have Node complain of a length that was announced and not sent.
  if (behaviour.cutAfter !== undefined) await writer.cut(behaviour.cutBy === 'reset' ? 'reset' : 'close');
}

async function writeHugeEvent(writer: AnswerWriter, request: ScriptRequest, behaviour: UpstreamBehaviour): Promise<void> {
  const make = request.dialect === 'openai' ? openaiEvents : anthropicEvents;
  for (const event of make(request, { ...behaviour, text: hugePlaceholder, chunks: 1 })) {
    if (event.includes(hugePlaceholder)) await writeHuge(writer, event, behaviour.megabytes ?? 100);
    else await writer.write(Buffer.from(event), 1);
  }
  writer.end();
}

function endWith(writer: AnswerWriter, status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): void {
  const bytes = Buffer.from(body);
  writer.head(status, { ...headers, 'content-length': bytes.length });
  writer.end(bytes);
}

function bodyOf(request: ScriptRequest, behaviour: UpstreamBehaviour): string {
  switch (request.route) {
    case 'embeddings':
      return openaiEmbeddings(request, behaviour);
    case 'count_tokens':
      return JSON.stringify({ input_tokens: behaviour.promptTokens ?? 10 });
    default:
      return request.dialect === 'openai' ? openaiBody(request, behaviour) : anthropicBody(request, behaviour);
  }
}

/** Events of behaviours that come again, so that the upstream of a benchmark does not spend its core on building them. */
const built = new WeakMap<UpstreamBehaviour, Map<string, readonly Buffer[]>>();

function eventsOf(request: ScriptRequest, behaviour: UpstreamBehaviour): readonly Buffer[] {
  let byRequest = built.get(behaviour);
  if (!byRequest) built.set(behaviour, (byRequest = new Map()));
  const key = `${request.dialect} ${request.includeUsage} ${request.choices} ${request.model}`;
  let events = byRequest.get(key);
  if (!events) {
    const make = request.dialect === 'openai' ? openaiEvents : anthropicEvents;
    events = make(request, behaviour).map((event) => framed(event, behaviour));
    if (byRequest.size < 100) byRequest.set(key, events);
  }
  return events;
}
