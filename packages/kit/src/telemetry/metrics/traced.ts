import type { RequestTrace } from '../../events/index.ts';
import { systemClock } from '../../time/index.ts';
import { observe, observeTraced, type Buckets, type HistogramState } from './histogram.ts';

/** An announcement that may say which trace it belongs to. */
interface Traced {
  readonly trace?: RequestTrace | undefined;
}

/** Observes milliseconds in seconds, with the trace where it was decided that it is kept: an exemplar that leads nowhere is worse than none. */
export function observeMs(histogram: HistogramState, buckets: Buckets, milliseconds: number, { trace }: Traced): void {
  const value = milliseconds / 1_000;
  if (trace?.sampled === true) observeTraced(histogram, buckets, { traceId: trace.traceId, value, at: systemClock.now() });
  else observe(histogram, buckets, value);
}
