export { seriesKinds, sumNames, type JudgedKind, type SeriesKind, type SumName } from './kinds.ts';
export { MetricsWindow, type WindowRecord } from './metrics-window.ts';
export { performanceDefaults, type PerformanceTrackerOptions } from './options.ts';
export {
  createPerformanceTracker,
  type CacheOperation,
  type DatabaseQuery,
  type LlmRequest,
  type MinuteRecord,
  type PerformanceTracker,
  type Usage,
} from './performance-tracker.ts';
export { RollingSketch } from './rolling-sketch.ts';
export { defaultRelativeError, QuantileSketch, type SketchRecord } from './quantile-sketch.ts';
export {
  summarizeGauges,
  summarizeKind,
  type DurationSummary,
  type GaugeSummary,
  type KindSummary,
  type SeriesSummary,
} from './summary.ts';
export type { Use, UsageTable } from './usage-table.ts';
