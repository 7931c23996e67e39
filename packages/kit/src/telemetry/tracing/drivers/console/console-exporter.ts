import type { SpanExporter } from '../../export/index.ts';
import type { Span } from '../../span.ts';

/** Writes traces as trees of lines, for whoever develops. `write` gets whole lines. */
export function createConsoleExporter(write: (text: string) => void): SpanExporter {
  return {
    export(spans) {
      const ofTraces = Map.groupBy(spans, ({ traceId }) => traceId);
      for (const [traceId, ofTrace] of ofTraces) write(`trace ${traceId}\n${treeOf(ofTrace)}`);
      return Promise.resolve({ exported: spans.length, rejected: 0, failed: 0 });
    },
    close: () => Promise.resolve(),
  };
}

function treeOf(spans: readonly Span[]): string {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const below = Map.groupBy(spans, ({ parentSpanId }) => (parentSpanId !== undefined && known.has(parentSpanId) ? parentSpanId : ''));
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const lines: string[] = [];
  const add = (parent: string, depth: number): void => {
    for (const span of (below.get(parent) ?? []).toSorted((a, b) => a.startMs - b.startMs)) {
      lines.push(lineOf(span, depth, startMs));
      add(span.spanId, depth + 1);
    }
  };
  add('', 1);
  return lines.join('');
}

function lineOf(span: Span, depth: number, traceStartMs: number): string {
  const attributes = Object.entries(span.attributes).map(
    ([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`,
  );
  const at = `+${(span.startMs - traceStartMs).toFixed(1)} ms`;
  const took = `${(span.endMs - span.startMs).toFixed(1)} ms`;
  return `${'  '.repeat(depth)}${span.failed ? '✗' : '·'} ${span.name} (${span.kind}, ${at}, ${took}) ${attributes.join(' ')}\n`;
}
