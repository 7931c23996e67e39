import { defineChannel } from '../../events/index.ts';
import { systemClock, type Clock } from '../../time/index.ts';
import type { Exposition } from './exposition.ts';
import {
  Instruments,
  type Counter,
  type Gauge,
  type GaugeOptions,
  type Histogram,
  type HistogramOptions,
  type InstrumentOptions,
  type StopWatch,
} from './instruments.ts';
import type { SeriesTable } from './series-table.ts';

/** Somebody scrapes: whoever has metrics of its own adds them. */
export interface MetricsCollected {
  readonly exposition: Exposition;
  /** Adds to what `holdfast_metrics_rejected_total` and `holdfast_metrics_overflow_total` say. */
  readonly report: (
    rejected: ReadonlyMap<string, number>,
    tables: readonly (readonly [name: string, table: SeriesTable<object>])[],
  ) => void;
}

/** Synchronous: what is not added when a listener returns is not in the scrape. */
export const metricsCollected = defineChannel<MetricsCollected>('holdfast:telemetry:metrics-collected');

/**
 * Metrics of your own. Names are lower case with `_`, the unit last (`_seconds`, `_bytes`), `_total` at the end of a counter, and do not begin with
 * `holdfast_`. What is wrong with a name, label, bucket or bound throws `configuration_invalid` where the metric is made; what is
 * wrong with an observation never throws.
 */
export interface CustomMetrics {
  counter<Name extends string = never>(options: InstrumentOptions<Name>): Counter<Name>;
  gauge<Name extends string = never>(options: GaugeOptions<Name>): Gauge<Name>;
  histogram<Name extends string = never>(options: HistogramOptions<Name>): Histogram<Name>;
  /** `name` ends with `_seconds`. */
  timer<Name extends string = never>(options: HistogramOptions<Name>): StopWatch<Name>;
  /** From now on they are in every scrape of this process, whoever made what is scraped. Returns the function that ends it. */
  publish(): () => void;
}

export function createCustomMetrics({ clock = systemClock }: { readonly clock?: Clock } = {}): CustomMetrics {
  const instruments = new Instruments('user', clock);
  return {
    counter: (options) => instruments.counter(options),
    gauge: (options) => instruments.gauge(options),
    histogram: (options) => instruments.histogram(options),
    timer: (options) => instruments.timer(options),
    publish: () =>
      metricsCollected.subscribe(({ exposition, report }) => {
        instruments.expose(exposition);
        report(instruments.rejected, instruments.tables);
      }),
  };
}
