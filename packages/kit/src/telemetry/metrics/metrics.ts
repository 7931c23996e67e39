import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { httpRequestFinished, type HttpRequestFinished } from '../../events/index.ts';
import { callFinished, targetChosen, type CallFinished } from '../../llm/spec/index.ts';
import { bucketEvicted, settlementLost, takeDecided } from '../../ratelimit/index.ts';
import { breakerChanged, callRejected, hedgeFinished, requestShed } from '../../resilience/index.ts';
import { abuseDetected } from '../../security/index.ts';
import { BreakerMetrics } from './breaker-metrics.ts';
import { Exposition } from './exposition.ts';
import { HttpMetrics } from './http-metrics.ts';
import { LlmMetrics } from './llm-metrics.ts';
import { RateLimitMetrics } from './rate-limit-metrics.ts';
import { RoutingMetrics } from './routing-metrics.ts';
import { SeriesTable } from './series-table.ts';

export interface MetricsOptions {
  /** Whether a model name may become a label; those that may not are counted as `other`. Default: none may. */
  readonly isKnownModel?: (name: string) => boolean;
  /** The same of a circuit breaker. Default: none may. */
  readonly isKnownBreaker?: (name: string) => boolean;
  /** Process, memory, garbage collection and event loop, as prom-client has them. Default true. */
  readonly processMetrics?: boolean;
}

export interface Metrics {
  /** For metrics of your own. */
  readonly registry: Registry;
  /** Of what `scrape` returns. */
  readonly contentType: string;
  /** Everything, in Prometheus's text format. */
  scrape(): Promise<string>;
  /** A number that is asked for at each scrape. Throws when the name is taken. */
  addGauge(name: `holdfast_${string}`, help: string, read: () => number): void;
  /** The same with one label: pairs of its value and the number. The values MUST be few and not chosen by clients. */
  addGauges(name: `holdfast_${string}`, help: string, label: string, read: () => readonly (readonly [string, number])[]): void;
  /**
   * Counts by one label, whose values are known beforehand: all are shown from the start, so that a rate can be told from the
   * first event on. The function counts one more. Throws when the name is taken.
   */
  addCounter<Value extends string>(
    name: `holdfast_${string}_total`,
    help: string,
    label: string,
    values: readonly Value[],
  ): (value: Value) => void;
  recordRequest(event: HttpRequestFinished): void;
  recordCall(event: CallFinished): void;
  /** An uncaught exception or unhandled rejection. */
  recordProcessFault(fault: string): void;
  /** Counts what the channels announce from now on. Returns the function that ends it. */
  listen(): () => void;
}

/**
 * Counts on the hot path into plain numbers and turns them into text when somebody scrapes; prom-client keeps what is
 * read at that moment anyway (process, event loop, gauges).
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics ?? true) {
    collectDefaultMetrics({ register: registry, prefix: 'holdfast_', eventLoopMonitoringPrecision: 20 });
    // Gauges that are named like counters, against Prometheus's conventions; the ones by type say the same.
    for (const kind of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`holdfast_nodejs_active_${kind}_total`);
  }
  const http = new HttpMetrics();
  const llm = new LlmMetrics({ isKnownModel: options.isKnownModel ?? (() => false) });
  const routing = new RoutingMetrics();
  const limits = new RateLimitMetrics();
  const breakers = new BreakerMetrics(options.isKnownBreaker ?? (() => false));
  const shed = new SeriesTable(['reason'], () => ({ count: 0 }), 20);
  const abuse = new SeriesTable(['detector'], () => ({ count: 0 }), 20);
  const faults = new SeriesTable(['fault'], () => ({ count: 0 }), 10);

  const metrics: Metrics = {
    registry,
    contentType: registry.contentType,
    async scrape() {
      const exposition = new Exposition();
      http.expose(exposition);
      llm.expose(exposition);
      routing.expose(exposition);
      limits.expose(exposition);
      breakers.expose(exposition);
      exposition.counter('holdfast_process_faults_total', 'Uncaught exceptions and unhandled rejections.', faults, ({ count }) => count);
      exposition.counter(
        'holdfast_shed_total',
        'Requests that were refused because the server had too much to do, by the sign of it.',
        shed,
        ({ count }) => count,
      );
      exposition.counter(
        'holdfast_abuse_events_total',
        'What detectors of abuse found, whether or not a ban came of it.',
        abuse,
        ({ count }) => count,
      );
      return exposition.toString() + (await registry.metrics());
    },
    addGauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    },
    addGauges(name, help, label, read) {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers: [registry],
        collect() {
          this.reset();
          for (const [value, number] of read()) this.set({ [label]: value }, number);
        },
      });
    },
    addCounter(name, help, label, values) {
      const counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
      for (const value of values) counter.inc({ [label]: value }, 0);
      return (value) => counter.inc({ [label]: value });
    },
    recordRequest: (event) => http.record(event),
    recordCall: (event) => llm.record(event),
    recordProcessFault: (fault) => void faults.at([fault]).count++,
    listen() {
      const stops = [
        httpRequestFinished.subscribe(metrics.recordRequest),
        callFinished.subscribe(metrics.recordCall),
        takeDecided.subscribe((event) => limits.record(event)),
        bucketEvicted.subscribe((event) => limits.recordEviction(event)),
        settlementLost.subscribe((event) => limits.recordLost(event)),
        targetChosen.subscribe((event) => routing.recordChoice(event)),
        breakerChanged.subscribe((event) => breakers.recordChange(event)),
        callRejected.subscribe((event) => breakers.recordRejection(event)),
        hedgeFinished.subscribe((event) => routing.recordHedge(event)),
        abuseDetected.subscribe(({ kind }) => void abuse.at([kind]).count++),
        requestShed.subscribe(({ reason }) => void shed.at([reason]).count++),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
  return metrics;
}
