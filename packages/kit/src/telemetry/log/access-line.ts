import type { HttpRequestFinished } from '../../events/index.ts';
import { createMasker } from '../../privacy/index.ts';
import { createTimestampWriter, type Clock } from '../../time/index.ts';
import type { Log } from './logger.ts';

/**
 * Writes one line a request. By hand, because it is the one line of the hot path: 1 µs against 9 through a logger. Members
 * that cannot hold a quote are not escaped (ids, the address, numbers, codes); what a client chooses freely is.
 */
export function createAccessLog(
  { logger, json, writeLine }: Log,
  clock: Clock,
): { readonly enabled: boolean; write(event: HttpRequestFinished): void } {
  return {
    get enabled() {
      return logger.isLevelEnabled('info');
    },
    write(event) {
      if (!json) {
        logger.info(toFields(event), `${event.method} ${event.path} ${event.status}`);
        return;
      }
      writeLine(toLine(event, clock.now()));
    },
  };
}

const instant = createTimestampWriter();

/** Addresses as well, unlike in other lines: what a client chose is nothing that an operator has to find again. */
const masker = createMasker();

/** Texts without their secrets and as JSON. The same few hundred come again and again: models, providers, routes. */
const rendered = new Map<string, string>();
const maxRendered = 1_000;

function render(text: string): string {
  // Ids of our own, a new one for each line: nothing to look for, and not worth remembering.
  if (text.length === 36 && uuid.test(text)) return `"${text}"`;
  let json = rendered.get(text);
  if (json === undefined) {
    json = masker.maskJson(JSON.stringify(text));
    if (text.length < 256) {
      // Paths that nobody else asks for must not keep out those that everybody does.
      if (rendered.size >= maxRendered) rendered.clear();
      rendered.set(text, json);
    }
  }
  return json;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function toLine(event: HttpRequestFinished, nowMs: number): string {
  let line = `{"level":"info","time":"${instant(nowMs)}","msg":"request","request_id":"${event.requestId}","method":"${event.method}","path":`;
  line += render(event.path);
  if (event.route !== undefined) line += `,"route":${render(event.route)}`;
  line += `,"status":${event.status},"latency_ms":${round(event.latencyMs)},"request_bytes":${event.requestBytes},"response_bytes":${event.responseBytes},"client":"${event.client}"`;
  if (event.traceId !== undefined) line += `,"trace_id":"${event.traceId}"`;
  if (event.organizationId !== undefined) line += `,"organization_id":"${event.organizationId}"`;
  if (event.keyId !== undefined) line += `,"key_id":"${event.keyId}"`;
  if (event.userId !== undefined) line += `,"user_id":${JSON.stringify(event.userId)}`;
  if (event.errorCode !== undefined) line += `,"error":"${event.errorCode}"`;
  for (const name in event.notes) {
    const value = event.notes[name]!;
    line += `,"${name}":${typeof value === 'string' ? render(value) : value}`;
  }
  return `${line}}\n`;
}

function toFields(event: HttpRequestFinished): Record<string, unknown> {
  const { level: _level, time: _time, msg: _message, ...fields } = JSON.parse(toLine(event, 0)) as Record<string, unknown>;
  return fields;
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
