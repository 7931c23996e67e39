export { createTracing, type Tracing } from './create-tracing.ts';
export { createConsoleExporter } from './drivers/console/index.ts';
export type { ExportResult, SpanCounts, SpanExporter, SpanOutcome } from './export/index.ts';
export { samplerNames, type SamplerName } from './head-sampler.ts';
export { tracingDefaults, type TracingNumbers, type TracingOptions } from './options.ts';
export type { AttributeValue, Attributes, Span } from './span.ts';
export type { TracedQuery } from './spans/index.ts';
export { trace, type FunctionSpan } from './trace-function.ts';
export { parseTraceparent, parseTracestate, type TraceParent } from './trace-parent.ts';
