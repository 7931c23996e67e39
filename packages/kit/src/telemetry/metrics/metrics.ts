import { handOnAnnouncements, httpRequestFinished, type HttpRequestFinished } from '../../events/index.ts';
import { attemptFailed, callFinished, targetChosen, type CallFinished } from '../../llm/spec/index.ts';
import { bucketEvicted, settlementLost, takeDecided } from '../../ratelimit/index.ts';
import {
  breakerChanged,
  callRejected,
  callTimedOut,
  fallbackUsed,
  hedgeFinished,
  requestShed,
  retryAbandoned,
  retryScheduled,
} from '../../resilience/index.ts';
import { abuseDetected, banAdded, banEvicted, banLifted } from '../../security/index.ts';
import { systemClock, type Clock } from '../../time/index.ts';
import { BreakerMetrics } from './breaker-metrics.ts';
import { metricsCollected } from './custom-metrics.ts';
import type { MetricDefinition } from './definition.ts';
import { Exposition } from './exposition.ts';
import { FaultMetrics } from './fault-metrics.ts';
import { contentTypes, expositionFormatOf, type ExpositionFormat } from './format.ts';
import { HttpMetrics } from './http-metrics.ts';
import { Instruments, type Counter, type Histogram } from './instruments.ts';
import { LlmMetrics } from './llm-metrics.ts';
import { ownMetrics } from './own-metrics.ts';
import { PolicyMetrics } from './policy-metrics.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { RateLimitMetrics } from './rate-limit-metrics.ts';
import { RoutingMetrics } from './routing-metrics.ts';
import type { SeriesTable } from './series-table.ts';

export interface MetricsOptions {
  /** Whether a model name may become a label; those that may not are counted as `other`. Default: none may. */
  readonly isKnownModel?: (name: string) => boolean;
  /** The same of the name of a circuit breaker, a retry and so on: of a target. Default: none may. */
  readonly isKnownBreaker?: (name: string) => boolean;
  /** Organizations whose calls, tokens and cost are counted each for itself, up to 10,000; further ones together as `other`. Default 0: none. */
  readonly maxOrganizations?: number;
  /** Process, memory, garbage collection and event loop. Default true. */
  readonly processMetrics?: boolean;
  readonly clock?: Clock;
}

/** Values of the labels in their order (one alone needs no list), and the number. */
export type GaugeRow = readonly [labels: string | readonly string[], value: number];

export interface Metrics {
  /** Everything as text; by default in Prometheus's own format. */
  scrape(format?: ExpositionFormat): Promise<string>;
  /** The same as the answer to a request with this `Accept`: OpenMetrics, with exemplars, to whoever asks for it. */
  respond(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }>;
  /** A number that is asked for at each scrape; undefined leaves it out. Throws when the name is taken. */
  addGauge(definition: MetricDefinition, read: () => number | undefined): void;
  /** The same with labels. The values MUST be few and not chosen by clients; rows past 2,000 are left out. */
  addGauges(definition: MetricDefinition, read: () => readonly GaugeRow[]): void;
  /** Throws when the name is taken. */
  addCounter(definition: MetricDefinition): Counter<string>;
  addHistogram(definition: MetricDefinition): Histogram<string>;
  recordRequest(event: HttpRequestFinished): void;
  recordCall(event: CallFinished): void;
  /** An uncaught exception or unhandled rejection. */
  recordProcessFault(fault: string): void;
  /** Counts what the channels announce, and watches the event loop, from now on. Returns the function that ends it. */
  listen(): () => void;
}

/** A scrape lets others have their turn when it has written for so long. */
const maxTurnMs = 5;

/**
 * Counts on the hot path into plain numbers and turns them into text when somebody scrapes. Metrics of your own come from
 * `createCustomMetrics`.
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const { isKnownModel = () => false, isKnownBreaker = () => false, clock = systemClock } = options;
  const maxOrganizations = Math.min(10_000, options.maxOrganizations ?? 0);
  const http = new HttpMetrics();
  const llm = new LlmMetrics({ isKnownModel, isKnownTarget: isKnownBreaker, maxOrganizations });
  const routing = new RoutingMetrics();
  const limits = new RateLimitMetrics();
  const breakers = new BreakerMetrics(isKnownBreaker);
  const policies = new PolicyMetrics(isKnownBreaker);
  const faults = new FaultMetrics();
  const instruments = new Instruments('holdfast', clock);
  const process = (options.processMetrics ?? true) ? new ProcessMetrics(clock) : undefined;
  const groups = [http, llm, routing, limits, breakers, policies, faults];
  const gauges: ((to: Exposition) => void)[] = [];
  let lastScrapeMs: number | undefined;

  function addRows(definition: MetricDefinition, read: () => readonly (readonly [readonly string[], number])[]): void {
    instruments.claim(definition);
    gauges.push((to) => to.gauge(definition, instruments.readSafely(definition.name, read) ?? []));
  }

  function exposeOwn(to: Exposition): void {
    const rejected = new Map(instruments.rejected);
    const overflowed = new Map<string, number>();
    const noteTables = (tables: Iterable<readonly [string, SeriesTable<object>]>): void => {
      for (const [name, table] of tables) if (table.overflowed > 0) overflowed.set(name, table.overflowed);
    };
    for (const { tables } of groups) noteTables(Object.entries(tables as Readonly<Record<string, SeriesTable<object>>>));
    noteTables(instruments.tables);
    metricsCollected.publish({
      exposition: to,
      report(counts, tables) {
        for (const [name, count] of counts) rejected.set(name, (rejected.get(name) ?? 0) + count);
        noteTables(tables);
      },
    });
    to.counted(
      ownMetrics.overflow,
      Array.from(overflowed, ([name, count]) => [[name], count] as const),
    );
    to.counted(
      ownMetrics.rejected,
      Array.from(rejected, ([name, count]) => [[name], count] as const),
    );
    if (lastScrapeMs !== undefined) to.gauge(ownMetrics.duration, [[[], lastScrapeMs / 1_000]]);
  }

  const metrics: Metrics = {
    async scrape(format = 'prometheus') {
      const startedAt = clock.monotonic();
      handOnAnnouncements();
      const files = await process?.ask();
      const exposition = new Exposition(format);
      const parts = [
        ...groups.map((group) => () => group.expose(exposition)),
        ...gauges.map((expose) => () => expose(exposition)),
        () => instruments.expose(exposition),
        () => process?.expose(exposition, files!),
        () => exposeOwn(exposition),
      ];
      let turnAt = clock.monotonic();
      for (const part of parts) {
        part();
        if (clock.monotonic() - turnAt < maxTurnMs) continue;
        await new Promise<void>((resolve) => void setImmediate(resolve));
        turnAt = clock.monotonic();
      }
      const text = exposition.toString();
      lastScrapeMs = clock.monotonic() - startedAt;
      return text;
    },
    async respond(accept) {
      const format = expositionFormatOf(accept);
      return { contentType: contentTypes[format], body: await metrics.scrape(format) };
    },
    addGauge: (definition, read) =>
      addRows(definition, () => {
        const value = read();
        return value === undefined ? [] : [[[], value]];
      }),
    addGauges: (definition, read) =>
      addRows(definition, () => read().map(([labels, value]) => [typeof labels === 'string' ? [labels] : labels, value] as const)),
    addCounter: (definition) => instruments.counter(optionsOf(definition)),
    addHistogram: (definition) => instruments.histogram(optionsOf(definition)),
    recordRequest: (event) => http.record(event),
    recordCall: (event) => llm.record(event),
    recordProcessFault: (fault) => faults.recordFault(fault),
    listen() {
      const stops = [
        httpRequestFinished.subscribeLate(metrics.recordRequest),
        callFinished.subscribeLate(metrics.recordCall),
        attemptFailed.subscribe((event) => llm.recordAttemptFailure(event)),
        takeDecided.subscribe((event) => limits.record(event)),
        bucketEvicted.subscribe((event) => limits.recordEviction(event)),
        settlementLost.subscribe((event) => limits.recordLost(event)),
        targetChosen.subscribe((event) => routing.recordChoice(event)),
        hedgeFinished.subscribe((event) => routing.recordHedge(event)),
        breakerChanged.subscribe((event) => breakers.recordChange(event)),
        callRejected.subscribe((event) => {
          breakers.recordRejection(event);
          policies.recordRejection(event);
        }),
        retryScheduled.subscribe((event) => policies.recordRetry(event)),
        retryAbandoned.subscribe((event) => policies.recordAbandoned(event)),
        callTimedOut.subscribe((event) => policies.recordTimeout(event)),
        fallbackUsed.subscribe((event) => policies.recordFallback(event)),
        abuseDetected.subscribe(({ kind }) => faults.recordAbuse(kind)),
        banAdded.subscribe(({ ban }) => faults.recordBan('added', ban.source)),
        banLifted.subscribe(({ ban }) => faults.recordBan('lifted', ban.source)),
        banEvicted.subscribe(({ ban }) => faults.recordBan('evicted', ban.source)),
        requestShed.subscribe(({ reason }) => faults.recordShed(reason)),
      ];
      if (process) stops.push(process.watch());
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
  return metrics;
}

function optionsOf({ name, help, labels, buckets }: MetricDefinition) {
  return { name, help, labels: Object.keys(labels), maxSeries: 1_000, ...(buckets && { buckets }) };
}
