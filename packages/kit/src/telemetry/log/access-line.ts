import type { HttpRequestFinished } from '../../events/index.ts';
import type { Clock } from '../../time/index.ts';
import type { Log } from './logger.ts';
import { redactLine } from './redact.ts';

/**
 * Writes one line a request. By hand, because it is the one line of the hot path: 1 µs against 9 through a logger. Members
 * that cannot hold a quote are not escaped (ids, the address, numbers, codes); what a client chooses freely is.
 */
export function createAccessLog(
  { logger, json, writeLine }: Log,
  clock: Clock,
): { readonly enabled: boolean; write(event: HttpRequestFinished): void } {
  return {
    enabled: logger.isLevelEnabled('info'),
    write(event) {
      if (!json) {
        logger.info(toFields(event), `${event.method} ${event.path} ${event.status}`);
        return;
      }
      writeLine(toLine(event, clock.now()));
    },
  };
}

export function toLine(event: HttpRequestFinished, nowMs: number): string {
  let line = `{"level":"info","time":"${new Date(nowMs).toISOString()}","msg":"request","request_id":"${event.requestId}","method":"${event.method}","path":`;
  line += redactLine(JSON.stringify(event.path));
  if (event.route !== undefined) line += `,"route":${JSON.stringify(event.route)}`;
  line += `,"status":${event.status},"latency_ms":${round(event.latencyMs)},"request_bytes":${event.requestBytes},"response_bytes":${event.responseBytes},"client":"${event.clientAddress}"`;
  if (event.organizationId !== undefined) line += `,"organization_id":"${event.organizationId}"`;
  if (event.keyId !== undefined) line += `,"key_id":"${event.keyId}"`;
  if (event.userId !== undefined) line += `,"user_id":${JSON.stringify(event.userId)}`;
  if (event.errorCode !== undefined) line += `,"error":"${event.errorCode}"`;
  if (event.notes !== undefined) {
    const notes = redactLine(JSON.stringify(event.notes)).slice(1, -1);
    if (notes !== '') line += `,${notes}`;
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
