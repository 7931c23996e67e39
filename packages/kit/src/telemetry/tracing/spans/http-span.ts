import type { HttpRequestFinished } from '../../../events/index.ts';
import { mask } from '../../../privacy/index.ts';
import type { AttributeValue, Span } from '../span.ts';
import type { TracedRequest } from '../traced-request.ts';
import { endedInFault } from '../tail-rule.ts';
import type { TimeScale } from './time-scale.ts';

/** Methods of the convention; a client can send any word at all. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'QUERY']);

/**
 * The request by the HTTP conventions. Left out of what they recommend, since a trace is read by more people than a log: the client's
 * address and program, and the query. The path is masked.
 */
export function httpSpan(event: HttpRequestFinished, request: TracedRequest, scale: TimeScale): Span {
  const method = methods.has(event.method) ? event.method : '_OTHER';
  const failed = endedInFault(event);
  const attributes: Record<string, AttributeValue> = {
    'http.request.method': method,
    'url.path': mask(event.path).slice(0, 1024),
    // What reached this process: TLS ends before it.
    'url.scheme': 'http',
    'holdfast.request_id': event.requestId,
  };
  // 499 is a word of our log: nothing was sent.
  if (event.status !== 499) attributes['http.response.status_code'] = event.status;
  if (event.route !== undefined) attributes['http.route'] = event.route;
  if (failed || event.errorCode === 'client_closed') attributes['error.type'] = event.errorCode ?? String(event.status);
  else if (event.errorCode !== undefined) attributes['holdfast.error_code'] = event.errorCode;
  if (event.organizationId !== undefined) attributes['holdfast.organization_id'] = event.organizationId;
  if (event.keyId !== undefined) attributes['holdfast.key_id'] = event.keyId;
  for (const call of request.calls) {
    attributes['holdfast.call_id'] = call.callId;
    attributes['holdfast.overhead_ms'] = scale.double(call.overheadMs);
    if (call.costNanoUsd !== null) attributes['holdfast.cost_nano_usd'] = call.costNanoUsd;
  }
  const name = method === '_OTHER' ? 'HTTP' : method;
  return request.root({
    name: event.route === undefined ? name : `${name} ${event.route}`,
    kind: 'server',
    startMs: scale.nowMs - event.latencyMs,
    endMs: scale.nowMs,
    attributes,
    failed,
  });
}
