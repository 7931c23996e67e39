import { AsyncLocalStorage } from 'node:async_hooks';
import { HoldfastError, isHoldfastError } from '../../errors/index.ts';
import {
  httpRequestFinished,
  httpRequestHandled,
  workEnded,
  workRun,
  type HttpRequestFinished,
  type RequestTrace,
  type Work,
} from '../../events/index.ts';
import { callTraced, type CallTraced } from '../../llm/spec/index.ts';
import { SpanQueue, type SpanCounts } from './export/index.ts';
import { createHeadSampler } from './head-sampler.ts';
import { tracingDefaults, type TracingNumbers, type TracingOptions } from './options.ts';
import type { Span } from './span.ts';
import { callSpans, httpSpan, queryAttributes, TimeScale, type TracedQuery } from './spans/index.ts';
import { isWorthKeeping } from './tail-rule.ts';
import { createTraceIds } from './trace-ids.ts';
import { parseTraceparent, parseTracestate } from './trace-parent.ts';
import { TracedRequest } from './traced-request.ts';

export interface Tracing {
  /** Where a request stands, read from its headers (lower case). Never throws, whatever they hold. */
  begin(headers: Readonly<Record<string, unknown>>): RequestTrace;
  /** Makes spans of what the channels announce from now on. Returns the function that ends it. */
  listen(): () => void;
  /** A statement or command that just ended: a span of the request, job or function that waited for it. */
  recordQuery(query: TracedQuery): void;
  /** Spans since the start, by what became of them. */
  readonly counts: Readonly<SpanCounts>;
  /** Spans that wait to be sent. */
  readonly queued: number;
  /** Sends what is left, for up to `timeoutMs` (default 5,000), and closes the exporter. */
  close(timeoutMs?: number): Promise<void>;
}

/** What runs in an asynchronous context. */
interface Active {
  readonly request: TracedRequest;
  readonly spanId: string;
}

interface RunningFunction {
  readonly active: Active;
  readonly parentSpanId: string | undefined;
  readonly beganAt: number;
  /** It began a trace of its own, which ends with it. */
  readonly isRoot: boolean;
}

/**
 * Traces by what modules announce. A request keeps notes, not spans; when it has ended it is known whether it is kept, and only then are
 * spans made of the notes. They wait in a bounded queue and are sent beside the requests. Throws `configuration_invalid`.
 */
export function createTracing(options: TracingOptions): Tracing {
  const { exporter, clock, random, onSpans, ...given } = options;
  const numbers = readNumbers(given);
  const ids = createTraceIds(random);
  const isSampled = createHeadSampler(numbers.sampler, numbers.ratio);
  const queue = new SpanQueue({ exporter, clock, onSpans, ...numbers });
  const storage = new AsyncLocalStorage<Active>();
  const functions = new WeakMap<Work, RunningFunction>();

  function begin(headers: Readonly<Record<string, unknown>>): TracedRequest {
    const caller = numbers.incoming === 'ignore' ? undefined : parseTraceparent(headers['traceparent']);
    const parent = numbers.incoming === 'continue' ? caller : undefined;
    const traceId = parent?.traceId ?? ids.traceId();
    return new TracedRequest({
      traceId,
      sampled: isSampled(traceId, parent),
      wantsContent: numbers.captureContent,
      parent,
      linked: parent === undefined ? caller : undefined,
      traceState: parent && parseTracestate(headers['tracestate']),
      ids,
    });
  }

  function beginJob(): TracedRequest {
    const traceId = ids.traceId();
    return new TracedRequest({ traceId, sampled: isSampled(traceId, undefined), wantsContent: false, ids });
  }

  /** Before its request has ended it is kept with it; after that it goes the same way. */
  function add(request: TracedRequest, span: Span): void {
    if (span.failed) request.failed = true;
    if (request.state === 'kept') queue.offer([span]);
    else if (request.state === 'running') {
      if (request.spans.length < numbers.maxSpansPerRequest) request.spans.push(span);
      else queue.count('left_out', 1);
    }
  }

  function finish(request: TracedRequest, kept: boolean, make: () => { readonly root: Span; readonly children: readonly Span[] }): void {
    if (request.state !== 'running') return;
    request.state = kept ? 'kept' : 'dropped';
    if (kept) {
      const { root, children } = make();
      const most = numbers.maxSpansPerRequest - 1;
      queue.count('left_out', Math.max(0, children.length - most));
      // The root last: whoever has it has all of them.
      queue.offer([...children.slice(0, most), root]);
    }
    // Held on to by whatever still runs in its context.
    request.spans = [];
    request.calls.length = 0;
  }

  function onCall(call: CallTraced): void {
    const request = call.trace;
    if (!(request instanceof TracedRequest)) return;
    // Its client went first: the call ends when its provider has been told.
    if (request.state === 'kept') queue.offer(callSpans(call, request, new TimeScale(clock)));
    else if (request.state === 'running') request.calls.push(call);
  }

  function onRequest(event: HttpRequestFinished): void {
    const request = event.trace;
    if (!(request instanceof TracedRequest)) return;
    finish(request, request.sampled || isWorthKeeping(event, request.calls, numbers), () => {
      const scale = new TimeScale(clock);
      const root = httpSpan(event, request, scale);
      return { root, children: [...request.calls.flatMap((call) => callSpans(call, request, scale)), ...request.spans] };
    });
  }

  function beginFunction(running: Work): Active {
    const outer = running.isUpkeep ? undefined : storage.getStore();
    const request = outer?.request ?? beginJob();
    const active: Active = { request, spanId: outer === undefined ? request.spanId : request.newSpanId() };
    functions.set(running, { active, parentSpanId: outer?.spanId, beganAt: clock.monotonic(), isRoot: outer === undefined });
    return active;
  }

  function onFunction(running: Work): void {
    const begun = functions.get(running);
    if (begun === undefined) return;
    const { active, parentSpanId, beganAt, isRoot } = begun;
    const { request, spanId } = active;
    const scale = new TimeScale(clock);
    const { failed } = running;
    const of = {
      name: running.name,
      kind: 'internal' as const,
      startMs: scale.unixMs(beganAt),
      endMs: scale.nowMs,
      attributes: failed ? { ...running.attributes, 'error.type': errorTypeOf(running.error) } : running.attributes,
      failed,
    };
    if (!isRoot) return add(request, request.span({ ...of, spanId, ...(parentSpanId !== undefined && { parentSpanId }) }));
    const isLate = of.endMs - of.startMs >= numbers.slowMs;
    finish(request, request.sampled || (numbers.tail && (failed || request.failed || isLate)), () => ({
      root: request.root(of),
      children: request.spans,
    }));
  }

  function recordQuery(query: TracedQuery): void {
    const active = storage.getStore();
    // Of nobody that is known, such as upkeep: worth a trace only when something is wrong with it.
    if (active === undefined && !(numbers.tail && (query.errorCode !== undefined || query.durationMs >= numbers.slowOverheadMs))) return;
    if (active?.request.state === 'dropped') return;
    const { nowMs } = new TimeScale(clock);
    const of = {
      name: query.collection === undefined ? query.operation : `${query.operation} ${query.collection}`,
      kind: 'client' as const,
      startMs: nowMs - query.durationMs,
      endMs: nowMs,
      attributes: queryAttributes(query),
      failed: query.errorCode !== undefined,
    };
    if (active) return add(active.request, active.request.span({ ...of, parentSpanId: active.spanId }));
    const request = beginJob();
    finish(request, true, () => ({ root: request.root(of), children: [] }));
  }

  return {
    begin,
    listen() {
      const stops = [
        callTraced.subscribe(onCall),
        httpRequestFinished.subscribeLate(onRequest),
        workEnded.subscribe(onFunction),
        httpRequestHandled.bind(storage, ({ trace }) => ({ request: trace as TracedRequest, spanId: trace.spanId })),
        workRun.bind(storage, beginFunction),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    recordQuery,
    counts: queue.counts,
    get queued() {
      return queue.size;
    },
    close: (timeoutMs = 5_000) => queue.close(timeoutMs),
  };
}

function errorTypeOf(error: unknown): string {
  if (isHoldfastError(error)) return error.code;
  return error instanceof Error ? error.name.slice(0, 128) : '_OTHER';
}

const counted = ['maxSpansPerRequest', 'maxQueueSize', 'maxBatchSize'] as const;
const durations = ['slowMs', 'slowOverheadMs', 'scheduleDelayMs'] as const;

function readNumbers(given: Partial<TracingNumbers>): TracingNumbers {
  const numbers: TracingNumbers = { ...tracingDefaults, ...given };
  for (const name of counted)
    if (!Number.isInteger(numbers[name]) || numbers[name] < 1) throw optionFault(name, 'a whole number from 1', numbers[name]);
  for (const name of durations) if (!(numbers[name] >= 0)) throw optionFault(name, 'milliseconds from 0', numbers[name]);
  if (!['continue', 'link', 'ignore'].includes(numbers.incoming))
    throw optionFault('incoming', '`continue`, `link` or `ignore`', numbers.incoming);
  return numbers;
}

function optionFault(name: string, expected: string, received: unknown): HoldfastError {
  return new HoldfastError('configuration_invalid', { detail: `tracing.${name} must be ${expected}, not ${String(received)}` });
}
