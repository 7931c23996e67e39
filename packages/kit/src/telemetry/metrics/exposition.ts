import type { Buckets, HistogramState } from './histogram.ts';
import type { SeriesTable } from './series-table.ts';

/** Lines of Prometheus's text format 0.0.4. */
export class Exposition {
  readonly #lines: string[] = [];

  counter<Series extends object>(name: string, help: string, table: SeriesTable<Series>, read: (series: Series) => number): void {
    this.#head(name, help, 'counter');
    for (const { labels, series } of table.entries()) this.#sample(name, labelPairs(table.labelNames, labels), read(series));
  }

  /** A counter with one more label, whose values are the members of what `read` returns. */
  counterBy<Series extends object>(
    name: string,
    help: string,
    table: SeriesTable<Series>,
    label: string,
    read: (series: Series) => Readonly<Record<string, number>>,
  ): void {
    this.#head(name, help, 'counter');
    for (const { labels, series } of table.entries()) {
      for (const [value, count] of Object.entries(read(series))) {
        this.#sample(name, labelPairs([...table.labelNames, label], [...labels, value]), count);
      }
    }
  }

  histogram<Series extends object>(
    name: string,
    help: string,
    table: SeriesTable<Series>,
    buckets: Buckets,
    read: (series: Series) => HistogramState,
  ): void {
    this.#head(name, help, 'histogram');
    for (const { labels, series } of table.entries()) {
      const pairs = labelPairs(table.labelNames, labels);
      const { counts, sum } = read(series);
      let total = 0;
      for (let at = 0; at < counts.length; at++) {
        total += counts[at]!;
        const bound = at < buckets.length ? String(buckets[at]) : '+Inf';
        this.#sample(`${name}_bucket`, `${pairs}${pairs === '' ? '' : ','}le="${bound}"`, total);
      }
      this.#sample(`${name}_sum`, pairs, sum);
      this.#sample(`${name}_count`, pairs, total);
    }
  }

  toString(): string {
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`;
  }

  #head(name: string, help: string, type: string): void {
    this.#lines.push(`# HELP ${name} ${help.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)}`, `# TYPE ${name} ${type}`);
  }

  #sample(name: string, pairs: string, value: number): void {
    this.#lines.push(pairs === '' ? `${name} ${value}` : `${name}{${pairs}} ${value}`);
  }
}

function labelPairs(names: readonly string[], values: readonly string[]): string {
  return names.map((name, at) => `${name}="${escapeLabel(values[at] ?? '')}"`).join(',');
}

function escapeLabel(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}
