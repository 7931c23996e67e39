export { createAccessLog, createLogger, redactLine, toLogLevel, type Log, type LoggerOptions, type LogLevel } from './log/index.ts';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics/index.ts';
export * from './performance/index.ts';
