import { familyName, unitOf, type MetricDefinition } from './definition.ts';
import type { ExpositionFormat } from './format.ts';
import type { Exemplar, HistogramState } from './histogram.ts';
import { labelPairs } from './label-pairs.ts';
import type { SeriesTable } from './series-table.ts';

/** Rows of a gauge that is asked for: beyond it they are left out, since whoever is asked may not have bounded them. */
const maxRows = 2_000;

/** Ids of traces come from clients too. */
const traceIdForm = /^[0-9a-f]{32}$/;

/** Families of metrics as text, in one of the two formats. */
export class Exposition {
  readonly #openMetrics: boolean;
  readonly #families = new Set<string>();
  #text = '';

  constructor(format: ExpositionFormat) {
    this.#openMetrics = format === 'openmetrics';
  }

  counter<Series extends object>(definition: MetricDefinition, table: SeriesTable<Series>, read: (series: Series) => number): void {
    if (!this.#begin(definition)) return;
    const { name } = definition;
    let text = '';
    for (const { pairs, series } of table.entries()) text += sample(name, pairs, read(series));
    this.#text += text;
  }

  /** A counter with one more label, the last of the definition, whose values are the members of what `read` returns. */
  counterBy<Series extends object>(
    definition: MetricDefinition,
    table: SeriesTable<Series>,
    read: (series: Series) => Readonly<Record<string, number>>,
  ): void {
    if (!this.#begin(definition)) return;
    const { name, labels } = definition;
    const label = Object.keys(labels).at(-1)!;
    let text = '';
    for (const { pairs, series } of table.entries()) {
      for (const [value, count] of Object.entries(read(series))) {
        text += sample(name, `${pairs}${pairs === '' ? '' : ','}${label}="${value}"`, count);
      }
    }
    this.#text += text;
  }

  /** Values of the labels in the order of the definition, and the number. */
  gauge(definition: MetricDefinition, rows: readonly (readonly [labels: readonly string[], value: number])[]): void {
    this.#rows(definition, rows);
  }

  /** A counter whose number is kept by somebody else, such as the operating system. */
  counted(definition: MetricDefinition, rows: readonly (readonly [labels: readonly string[], value: number])[]): void {
    this.#rows(definition, rows);
  }

  histogram<Series extends object>(
    definition: MetricDefinition,
    table: SeriesTable<Series>,
    read: (series: Series) => HistogramState,
  ): void {
    if (!this.#begin(definition)) return;
    const { name, buckets = [] } = definition;
    const bounds = [...buckets.map((bound) => this.#bound(bound)), '+Inf'].map((bound) => `le="${bound}"} `);
    let text = '';
    for (const { pairs, series } of table.entries()) {
      const { counts, sum, exemplars } = read(series);
      const before = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}`;
      let total = 0;
      for (let at = 0; at < counts.length; at++) {
        total += counts[at]!;
        text += before;
        text += bounds[at]!;
        text += total;
        const exemplar = this.#openMetrics ? exemplars?.[at] : undefined;
        text += exemplar === undefined || !traceIdForm.test(exemplar.traceId) ? '\n' : ` # ${exemplarText(exemplar)}\n`;
      }
      text += sample(`${name}_sum`, pairs, sum);
      text += sample(`${name}_count`, pairs, total);
    }
    this.#text += text;
  }

  toString(): string {
    return this.#openMetrics ? `${this.#text}# EOF\n` : this.#text;
  }

  #rows(definition: MetricDefinition, rows: readonly (readonly [readonly string[], number])[]): void {
    if (!this.#begin(definition)) return;
    const names = Object.keys(definition.labels);
    const seen = new Set<string>();
    for (const [values, value] of rows.slice(0, maxRows)) {
      const pairs = labelPairs(names, values);
      if (seen.has(pairs)) continue;
      seen.add(pairs);
      this.#text += sample(definition.name, pairs, value);
    }
  }

  /** A family that comes twice is left out the second time: Prometheus would refuse the whole scrape. */
  #begin({ name, help, type }: MetricDefinition): boolean {
    const family = familyName(name);
    if (this.#families.has(family)) return false;
    this.#families.add(family);
    const shown = this.#openMetrics ? family : name;
    const unit = this.#openMetrics ? unitOf(name) : undefined;
    this.#text += `# HELP ${shown} ${this.#help(help)}\n# TYPE ${shown} ${type}\n${unit === undefined ? '' : `# UNIT ${shown} ${unit}\n`}`;
    return true;
  }

  #help(text: string): string {
    const escaped = text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
    return this.#openMetrics ? escaped.replaceAll('"', String.raw`\"`) : escaped;
  }

  /** OpenMetrics wants `1.0` where the older format says `1`. */
  #bound(bound: number): string {
    return this.#openMetrics && Number.isInteger(bound) ? `${bound}.0` : String(bound);
  }
}

function sample(name: string, pairs: string, value: number): string {
  return pairs === '' ? `${name} ${numberText(value)}\n` : `${name}{${pairs}} ${numberText(value)}\n`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function exemplarText({ traceId, value, at }: Exemplar): string {
  return `{trace_id="${traceId}"} ${numberText(value)} ${(at / 1_000).toFixed(3)}`;
}
