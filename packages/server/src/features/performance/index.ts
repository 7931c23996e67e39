export { minutesSavedAgain, minutesUnsaved, type MinutesSavedAgain, type MinutesUnsaved } from './events.ts';
export { createMinuteStore, type MinuteStore, type StoredMinute } from './minute-store.ts';
export { startMinuteWriter, type MinuteSource, type MinuteWriter } from './minute-writer.ts';
export { performanceRoutes, type PerformanceRoutesOptions } from './routes.ts';
export { createStoredMetrics, type MinuteSum } from './stored-metrics.ts';
