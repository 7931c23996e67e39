export { createConsoleExporter } from './console-exporter.ts';
