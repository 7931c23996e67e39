export type { OtlpProtocol } from './encode.ts';
export { createOtlpExporter, type OtlpExporterOptions } from './otlp-exporter.ts';
