import { CompositeWriter } from '../../platform/postgres/index.ts';
import type { LoggedRequest } from './logged-request.ts';
import { maskContent } from './masked-content.ts';

/** The type that rows travel as. A version of the server that writes other columns has a type of its own. */
export const requestRowType = 'holdfast.request_log_row_1';

export const requestRowColumns = `id, at, instance, request_id, trace_id, call_id, organization_id, key_id, user_id, method, route, status,
  error_code, latency_ms, request_bytes, response_bytes, request_content, response_content`;

export interface RequestRowOptions {
  /** By which operators know this server. */
  readonly instance: string;
  /** Characters that are kept of a content. */
  readonly maxContentChars: number;
}

const writer = new CompositeWriter();

/** The request as a value of `requestRowType`, in the order of `requestRowColumns`. Throws a TypeError for an id that is no UUID. */
export function requestRowBytes(id: string, { atMs, event, content }: LoggedRequest, options: RequestRowOptions): Buffer {
  const callId = event.notes?.['call_id'];
  const kept = (text: string | undefined) => (text === undefined ? undefined : maskContent(text, options.maxContentChars));
  writer
    .begin()
    .uuid(id)
    .timestamptz(atMs)
    .text(options.instance)
    .text(event.requestId)
    .text(event.traceId)
    .uuid(typeof callId === 'string' ? callId : undefined);
  for (const recurring of [event.organizationId, event.keyId, event.userId])
    if (recurring === undefined) writer.uuid(undefined);
    else writer.recurringUuid(recurring);
  return writer
    .text(event.method)
    .text(event.route)
    .int4(event.status)
    .text(event.errorCode)
    .float8(Math.round(event.latencyMs * 1_000) / 1_000)
    .int8(event.requestBytes)
    .int8(event.responseBytes)
    .text(kept(content?.request))
    .text(kept(content?.response))
    .end();
}
