export { callSpans } from './call-spans.ts';
export { httpSpan } from './http-span.ts';
export { queryAttributes, type TracedQuery } from './query-span.ts';
export { TimeScale } from './time-scale.ts';
