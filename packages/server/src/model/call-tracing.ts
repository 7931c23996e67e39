import type { ErrorCode } from '@holdfast/kit/errors';
import type { RequestTrace } from '@holdfast/kit/events';
import type { TracedAttempt, TracedLayer } from '@holdfast/kit/llm';

/** What is noted of a call while tracing is on; a call without a trace has none, and pays one comparison where it would be written. */
export interface CallTracing {
  readonly trace: RequestTrace;
  readonly layers: TracedLayer[];
  readonly attempts: TracedAttempt[];
  /** Monotonic: when the call had its targets, and waited for the first of them from then on. */
  routedAt: number;
}

export function beginCallTracing(trace: RequestTrace): CallTracing {
  return { trace, layers: [], attempts: [], routedAt: 0 };
}

/** Milliseconds. A layer that took less is told by the gap that it left: most take microseconds, and a span each would cost more than they do. */
const worthASpanMs = 1;

/** Notes a layer that took time, or failed. Times are monotonic milliseconds. */
export function noteLayer(tracing: CallTracing | undefined, name: string, beganAt: number, endedAt: number, errorCode?: ErrorCode): void {
  if (tracing === undefined || (endedAt - beganAt < worthASpanMs && errorCode === undefined)) return;
  tracing.layers.push({ name, beganAt, endedAt, errorCode });
}
