import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock, type Clock } from '../../time/index.ts';
import { answer, type ResponseHeaders } from './answer.ts';
import { AnswerWriter } from './answer-writer.ts';
import type { UpstreamBehaviour } from './behaviour.ts';
import { CallLog, type UpstreamCall, type WaitOptions } from './call-log.ts';
import { openRecordFile } from './record-file.ts';
import { markerOf, readScriptRequest, routeOf } from './script-request.ts';
import { Scripts, type UpstreamScript } from './scripts.ts';

export interface ScriptedUpstreamOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Calls kept in `calls`; older ones are dropped. 0 keeps none (benchmarks). Default 10,000. */
  readonly keepCalls?: number;
  /** Appends a JSON line for every answered call to this file. */
  readonly recordFile?: string;
  /** Sent with every answer, beside `x-request-id: req_scripted`. */
  readonly responseHeaders?: ResponseHeaders;
  readonly clock?: Clock;
}

/** A provider on a real port that behaves as it is told, and remembers what it was asked. */
export interface ScriptedUpstream {
  /** `http://127.0.0.1:<port>`: Anthropic's base URL. */
  readonly url: string;
  /** The same with `/v1`: OpenAI's base URL. */
  readonly openaiBaseUrl: string;
  readonly port: number;
  /** Requests received, oldest first. Live: entries change as their answers go out. */
  readonly calls: readonly UpstreamCall[];
  /** TCP connections opened so far. */
  readonly connections: number;
  /** Says how calls of a model are answered, from now on. */
  script(model: string, script: UpstreamScript): void;
  /** Says how the next calls are answered, one each, whatever their model. */
  enqueue(...behaviours: readonly UpstreamBehaviour[]): void;
  /** Forgets scripts, queue and calls. */
  reset(): void;
  /**
   * Resolves with the first value of `predicate` that is not undefined, null or false; asked now and at every change of
   * the log. Rejects after `timeoutMs` (10 s) with a list of what was seen.
   */
  waitFor<T>(predicate: (calls: readonly UpstreamCall[]) => T | undefined | null | false, options?: WaitOptions): Promise<T>;
  /** Closes the port and every connection. */
  close(): Promise<void>;
}

export async function startScriptedUpstream(options: ScriptedUpstreamOptions = {}): Promise<ScriptedUpstream> {
  const clock = options.clock ?? systemClock;
  const host = options.host ?? '127.0.0.1';
  const log = new CallLog(clock, options.keepCalls ?? 10_000);
  const scripts = new Scripts();
  const record = options.recordFile === undefined ? undefined : openRecordFile(options.recordFile);
  const base: ResponseHeaders = { 'x-request-id': 'req_scripted', ...options.responseHeaders };
  const connectionNumbers = new WeakMap<object, number>();
  let received = 0;
  let connections = 0;

  // Pooled connections of the client must not be closed under it: that would be a fault which nobody scripted.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    const call = newCall(request, received++, connectionNumbers.get(request.socket) ?? -1, clock);
    log.add(call);
    const writer = new AnswerWriter(response, call, log, clock);
    if (record) response.once('close', () => record.append(call));
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => void parts.push(part));
    request.on('end', () => {
      readBody(call, parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      log.changed();
      serve(call, writer, response).catch((error: unknown) => {
        // A script that throws is a fault of the test: shown as an answer that no test mistakes for a scripted one.
        if (!response.headersSent) response.writeHead(599, { 'content-type': 'text/plain' });
        response.end(`scripted upstream: ${String(error)}`);
      });
    });
  });
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    connectionNumbers.set(socket, connections++);
  });

  async function serve(call: UpstreamCall, writer: AnswerWriter, response: ServerResponse): Promise<void> {
    const [dialect, route] = routeOf(call.method, call.path, call.headers);
    const request = readScriptRequest(dialect, route, call.json ?? {});
    if (route === 'unknown') return answer(writer, request, { kind: 'error', status: 404 }, base, clock);
    if (route === 'models') return sendModels(writer, dialect, scripts.models);
    if (call.json === undefined) return answer(writer, request, { kind: 'error', status: 400 }, base, clock);
    const behaviour = scripts.choose(call);
    if (behaviour.kind === 'reset') {
      await writer.pause(behaviour.headersDelayMs ?? 0);
      call.outcome = 'cut';
      call.endedAtMs = clock.now();
      response.socket?.resetAndDestroy();
      return log.changed();
    }
    return answer(writer, request, behaviour, base, clock);
  }

  function sendModels(writer: AnswerWriter, dialect: 'openai' | 'anthropic', scripted: readonly string[]): void {
    const names = [...new Set([dialect === 'openai' ? 'gpt-4o-mini' : 'claude-sonnet-4-5', ...scripted])];
    const data =
      dialect === 'openai'
        ? names.map((id) => ({ id, object: 'model', created: 1_767_225_600, owned_by: 'scripted' }))
        : names.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }));
    const list = dialect === 'openai' ? { object: 'list', data } : { data, has_more: false, first_id: names[0], last_id: names.at(-1) };
    writer.head(200, { ...base, 'content-type': 'application/json' });
    writer.end(Buffer.from(JSON.stringify(list)));
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

  return {
    url,
    openaiBaseUrl: `${url}/v1`,
    port,
    get calls() {
      return log.calls;
    },
    get connections() {
      return connections;
    },
    script: (model, script) => scripts.set(model, script),
    enqueue: (...behaviours) => scripts.enqueue(behaviours),
    reset() {
      scripts.clear();
      log.clear();
    },
    waitFor: (predicate, waitOptions) => log.waitFor(predicate, waitOptions),
    async close() {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      record?.close();
    },
  };
}

function newCall(request: IncomingMessage, index: number, connection: number, clock: Clock): UpstreamCall {
  return {
    index,
    connection,
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    receivedAtMs: clock.now(),
    body: Buffer.alloc(0),
    json: undefined,
    model: undefined,
    marker: undefined,
    status: undefined,
    eventsSent: 0,
    bytesSent: 0,
    outcome: 'open',
    endedAtMs: undefined,
    clientClosedAtMs: undefined,
  };
}

function readBody(call: UpstreamCall, body: Buffer): void {
  call.body = body;
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return;
    call.json = json as Record<string, unknown>;
    if (typeof call.json['model'] === 'string') call.model = call.json['model'];
    call.marker = markerOf(call.json);
  } catch {
    // Not JSON: answered with 400, as a provider does.
  }
}
