export type { ExportResult, SpanExporter } from './span-exporter.ts';
export { SpanQueue, type SpanCounts, type SpanOutcome } from './span-queue.ts';
