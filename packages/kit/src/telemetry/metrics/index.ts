export { metricCatalogue } from './catalogue.ts';
export { createCustomMetrics, type CustomMetrics } from './custom-metrics.ts';
export type { MetricDefinition, MetricDefinitions, MetricSection, MetricType } from './definition.ts';
export { unitOf } from './definition.ts';
export { contentTypes as metricContentTypes, expositionFormatOf, type ExpositionFormat } from './format.ts';
export {
  defaultBuckets,
  type Counter,
  type Gauge,
  type GaugeOptions,
  type Histogram,
  type HistogramOptions,
  type InstrumentOptions,
  type StopWatch,
} from './instruments.ts';
export { createMetrics, type GaugeRow, type Metrics, type MetricsOptions } from './metrics.ts';
