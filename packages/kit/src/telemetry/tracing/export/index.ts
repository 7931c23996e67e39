export type { ExportResult, SpanExporter } from './span-exporter.ts';
export { SpanQueue, type SpanCounts } from './span-queue.ts';
