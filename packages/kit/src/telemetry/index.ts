export { createAccessLog, createLogger, redactLine, toLogLevel, type Log, type LoggerOptions, type LogLevel } from './log/index.ts';
export { logIds, type LogIds, type RotationOptions } from './log/index.ts';
export {
  createCustomMetrics,
  createMetrics,
  defaultBuckets,
  expositionFormatOf,
  metricCatalogue,
  metricContentTypes,
  unitOf,
  type Counter,
  type CustomMetrics,
  type ExpositionFormat,
  type Gauge,
  type GaugeOptions,
  type GaugeRow,
  type Histogram,
  type HistogramOptions,
  type InstrumentOptions,
  type MetricDefinition,
  type MetricDefinitions,
  type Metrics,
  type MetricSection,
  type MetricType,
  type MetricsOptions,
  type StopWatch,
} from './metrics/index.ts';
export * from './performance/index.ts';
