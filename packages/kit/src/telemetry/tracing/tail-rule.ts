import type { HttpRequestFinished } from '../../events/index.ts';
import type { CallTraced } from '../../llm/spec/index.ts';

export interface TailNumbers {
  readonly tail: boolean;
  readonly slowMs: number;
  readonly slowOverheadMs: number;
}

/**
 * A fault of ours or of a provider: 5xx, or an answer that broke off after its status was sent. What a client did wrong, or that it left,
 * is none: scans and full limits would fill the store of traces.
 */
export function endedInFault({ status, errorCode }: Pick<HttpRequestFinished, 'status' | 'errorCode'>): boolean {
  return status >= 500 || (status < 400 && errorCode !== undefined && errorCode !== 'client_closed');
}

/** Whether a request that was not sampled is kept all the same. */
export function isWorthKeeping(
  event: Pick<HttpRequestFinished, 'status' | 'errorCode' | 'latencyMs'>,
  calls: readonly Pick<CallTraced, 'overheadMs'>[],
  { tail, slowMs, slowOverheadMs }: TailNumbers,
): boolean {
  if (!tail) return false;
  if (endedInFault(event) || event.latencyMs >= slowMs) return true;
  // Of a call, what its provider takes is the provider's; everything else is ours from end to end.
  if (calls.length === 0) return event.latencyMs >= slowOverheadMs;
  return calls.some(({ overheadMs }) => overheadMs >= slowOverheadMs);
}
