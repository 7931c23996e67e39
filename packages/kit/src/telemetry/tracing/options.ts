import type { Clock, Random } from '../../time/index.ts';
import type { SamplerName } from './head-sampler.ts';
import type { SpanExporter, SpanOutcome } from './export/index.ts';

export interface TracingNumbers {
  /** What is kept whatever becomes of it. Default `parentbased_always_on`. */
  readonly sampler: SamplerName;
  /** Of the samplers by ratio, from 0 to 1. Default 1. */
  readonly ratio: number;
  /** Keeps what ended in an error of ours or a provider's (5xx), or was slow, also where the sampler would not. Default true. */
  readonly tail: boolean;
  /** A request that takes longer is slow: milliseconds, default 10,000. */
  readonly slowMs: number;
  /** So is one in which our own part (a call without its provider) takes longer: milliseconds, default 500. */
  readonly slowOverheadMs: number;
  /**
   * What a valid `traceparent` of a caller is: `continue` its trace, `link` to it from a trace of our own, or `ignore` it. Default `continue`.
   * Callers that are not yours choose ids and sampling for you with `continue`.
   */
  readonly incoming: 'continue' | 'link' | 'ignore';
  /** What was said in calls of models goes into spans, masked. Default false. */
  readonly captureContent: boolean;
  /** Spans of one request; more are left out and counted. Default 128. */
  readonly maxSpansPerRequest: number;
  /** Spans that wait to be sent; what comes beyond is dropped and counted. Default 8,192. */
  readonly maxQueueSize: number;
  /** Spans sent at once. Default 512. */
  readonly maxBatchSize: number;
  /** How long spans wait for company, in milliseconds. Default 5,000. */
  readonly scheduleDelayMs: number;
}

export interface TracingOptions extends Partial<TracingNumbers> {
  readonly exporter: SpanExporter;
  /** Told what became of spans, for metrics. MUST NOT throw. */
  readonly onSpans?: (outcome: SpanOutcome, count: number) => void;
  readonly clock: Clock;
  readonly random: Random;
}

export const tracingDefaults: TracingNumbers = Object.freeze({
  sampler: 'parentbased_always_on',
  ratio: 1,
  tail: true,
  slowMs: 10_000,
  slowOverheadMs: 500,
  incoming: 'continue',
  captureContent: false,
  maxSpansPerRequest: 128,
  maxQueueSize: 8_192,
  maxBatchSize: 512,
  scheduleDelayMs: 5_000,
});
