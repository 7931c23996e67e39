import { HoldfastError } from '../../errors/index.ts';
import type { Clock } from '../../time/index.ts';
import { familyName, type MetricDefinition, type MetricType } from './definition.ts';
import type { Exposition } from './exposition.ts';
import { createHistogram, observe, type HistogramState } from './histogram.ts';
import { SeriesTable } from './series-table.ts';

export type Labels<Name extends string> = Readonly<Record<Name, string | number | boolean>>;
/** Nothing, for a metric without labels. */
export type LabelArguments<Name extends string> = [Name] extends [never] ? [] : [labels: Labels<Name>];

/** What only rises: documents that were processed, bytes that were read. */
export interface Counter<Name extends string = never> {
  /** A finite number of 0 or more; others are not counted, and told in `holdfast_metrics_rejected_total`. */
  add(value: number, ...labels: LabelArguments<Name>): void;
}

/** What rises and falls: the length of a queue, a temperature. */
export interface Gauge<Name extends string = never> {
  set(value: number, ...labels: LabelArguments<Name>): void;
  add(value: number, ...labels: LabelArguments<Name>): void;
}

/** How something is spread: sizes, scores. */
export interface Histogram<Name extends string = never> {
  observe(value: number, ...labels: LabelArguments<Name>): void;
}

/** A histogram of seconds. */
export interface StopWatch<Name extends string = never> {
  /** Returns the function that ends it, which returns the seconds. Called again, it does nothing more. */
  start(...labels: LabelArguments<Name>): () => number;
  /** Times the function, whether it succeeds or fails; its result or its error is passed on. */
  time<Result>(work: () => Result, ...labels: LabelArguments<Name>): Result;
}

export interface InstrumentOptions<Name extends string> {
  readonly name: string;
  /** One sentence, shown beside the numbers. */
  readonly help: string;
  /** Names of its labels (tags). Their values SHOULD be few: each combination is a series of its own. */
  readonly labels?: readonly Name[];
  /** Combinations of label values that are kept apart, 1 to 10,000; what comes beyond is counted under `other`. Default 200. */
  readonly maxSeries?: number;
}

export interface HistogramOptions<Name extends string> extends InstrumentOptions<Name> {
  /** Upper bounds, rising, 1 to 100 of them. Default: `defaultBuckets`, in seconds. */
  readonly buckets?: readonly number[];
}

export interface GaugeOptions<Name extends string> extends InstrumentOptions<Name> {
  /** Without labels: asked for at each scrape, in place of `set`. One that throws shows nothing then. */
  readonly read?: () => number;
}

/** Seconds, from half a millisecond to five minutes. */
export const defaultBuckets: readonly number[] = Object.freeze([
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
]);

const nameForm = /^[a-z][a-z0-9_]{0,119}$/;
const labelForm = /^[a-z_][a-zA-Z0-9_]{0,62}$/;
/** Prometheus's own, and what makes a name look like a part of another metric. */
const reservedLabels: ReadonlySet<string> = new Set(['le', 'quantile', 'job', 'instance']);
const reservedEndings = ['_total', '_bucket', '_count', '_sum', '_created', '_info'];
const ourPrefix = 'holdfast_';

/** Metrics that are made one by one, all with the same bound on labels. */
export class Instruments {
  readonly #owner: 'holdfast' | 'user';
  readonly #clock: Clock;
  readonly #families = new Set<string>();
  readonly #exposed: ((to: Exposition) => void)[] = [];
  readonly #rejected = new Map<string, number>();
  readonly #tables: [name: string, table: SeriesTable<object>][] = [];

  constructor(owner: 'holdfast' | 'user', clock: Clock) {
    this.#owner = owner;
    this.#clock = clock;
  }

  counter<Name extends string = never>(options: InstrumentOptions<Name>): Counter<Name> {
    const definition = this.#define(options, 'counter');
    const table = this.#table(definition, options, () => ({ count: 0 }));
    this.#exposed.push((to) => to.counter(definition, table, ({ count }) => count));
    return {
      add: (value, ...[labels]) => {
        if (!(Number.isFinite(value) && value >= 0)) return this.reject(definition.name);
        table.at(valuesOf(table.labelNames, labels)).count += value;
      },
    };
  }

  gauge<Name extends string = never>(options: GaugeOptions<Name>): Gauge<Name> {
    const definition = this.#define(options, 'gauge');
    const { read } = options;
    if (read !== undefined && Object.keys(definition.labels).length > 0) throw fault(definition.name, 'a gauge that is read has no labels');
    const table = this.#table(definition, options, () => ({ value: 0 }));
    this.#exposed.push((to) => {
      if (read !== undefined) {
        const value = this.readSafely(definition.name, read);
        to.gauge(definition, value === undefined ? [] : [[[], value]]);
      } else {
        to.gauge(
          definition,
          table.entries().map(({ labels, series }) => [labels, series.value] as const),
        );
      }
    });
    const change = (value: number, labels: object | undefined, combine: (before: number) => number): void => {
      if (!Number.isFinite(value) || read !== undefined) return this.reject(definition.name);
      const series = table.at(valuesOf(table.labelNames, labels));
      series.value = combine(series.value);
    };
    return {
      set: (value, ...[labels]) => change(value, labels, () => value),
      add: (value, ...[labels]) => change(value, labels, (before) => before + value),
    };
  }

  histogram<Name extends string = never>(options: HistogramOptions<Name>): Histogram<Name> {
    const buckets = Object.freeze([...(options.buckets ?? defaultBuckets)]);
    const definition = { ...this.#define(options, 'histogram'), buckets };
    checkBuckets(definition.name, buckets);
    const table = this.#table(definition, options, (): HistogramState => createHistogram(buckets));
    this.#exposed.push((to) => to.histogram(definition, table, (state) => state));
    return {
      observe: (value, ...[labels]) => {
        if (!Number.isFinite(value)) return this.reject(definition.name);
        observe(table.at(valuesOf(table.labelNames, labels)), buckets, value);
      },
    };
  }

  timer<Name extends string = never>(options: HistogramOptions<Name>): StopWatch<Name> {
    if (!options.name.endsWith('_seconds')) throw fault(options.name, 'a timer counts in seconds, and its name ends with `_seconds`');
    const histogram = this.histogram(options);
    const start = (...labels: LabelArguments<Name>): (() => number) => {
      const startedAt = this.#clock.monotonic();
      let seconds: number | undefined;
      return () => {
        if (seconds !== undefined) return seconds;
        seconds = (this.#clock.monotonic() - startedAt) / 1_000;
        histogram.observe(seconds, ...labels);
        return seconds;
      };
    };
    return {
      start,
      time(work, ...labels) {
        const stop = start(...labels);
        let result: ReturnType<typeof work>;
        try {
          result = work();
        } catch (error) {
          stop();
          throw error;
        }
        if (result instanceof Promise) result.then(stop, stop);
        else stop();
        return result;
      },
    };
  }

  /** Reserves a name for a metric whose numbers are kept elsewhere. Throws when it is taken or none. */
  claim(definition: MetricDefinition): void {
    this.#claim(definition.name, definition.type, Object.keys(definition.labels));
  }

  reject(name: string): void {
    this.#rejected.set(name, (this.#rejected.get(name) ?? 0) + 1);
  }

  /** Undefined, and counted, when it throws: one metric that cannot be read must not take the others with it. */
  readSafely<Value>(name: string, read: () => Value): Value | undefined {
    try {
      return read();
    } catch {
      this.reject(name);
      return undefined;
    }
  }

  expose(to: Exposition): void {
    for (const expose of this.#exposed) expose(to);
  }

  /** Observations that were not counted, by metric. */
  get rejected(): ReadonlyMap<string, number> {
    return this.#rejected;
  }

  get tables(): readonly (readonly [name: string, table: SeriesTable<object>])[] {
    return this.#tables;
  }

  #define(options: InstrumentOptions<string>, type: MetricType): MetricDefinition {
    const labels = options.labels ?? [];
    this.#claim(options.name, type, labels);
    return {
      name: options.name,
      type,
      help: options.help,
      labels: Object.fromEntries(labels.map((label) => [label, ''])),
      example: options.name,
    };
  }

  #claim(name: string, type: MetricType, labels: readonly string[]): void {
    if (!nameForm.test(name)) throw fault(name, 'a name is lower-case letters, digits and `_`, and begins with a letter');
    if (this.#owner === 'user' && name.startsWith(ourPrefix))
      throw fault(name, `names that begin with \`${ourPrefix}\` are Holdfast's own`);
    if (this.#owner === 'holdfast' && !name.startsWith(ourPrefix)) throw fault(name, `a name of Holdfast's begins with \`${ourPrefix}\``);
    if (type === 'counter' && !name.endsWith('_total')) throw fault(name, 'the name of a counter ends with `_total`');
    const ending = reservedEndings.find((each) => name.endsWith(each));
    const allowed = type === 'counter' ? '_total' : type === 'gauge' && this.#owner === 'holdfast' ? '_info' : undefined;
    if (ending !== undefined && ending !== allowed) throw fault(name, `the name of a ${type} must not end with \`${ending}\``);
    for (const label of labels) {
      if (!labelForm.test(label) || label.startsWith('__') || reservedLabels.has(label))
        throw fault(name, `\`${label}\` is no name for a label: letters, digits and \`_\`, and none that Prometheus uses itself`);
    }
    if (new Set(labels).size !== labels.length) throw fault(name, 'a label is given twice');
    const family = familyName(name);
    if (this.#families.has(family)) throw fault(name, 'there is a metric of this name already');
    this.#families.add(family);
  }

  #table<Series extends object>(
    { name, labels }: MetricDefinition,
    { maxSeries = 200 }: InstrumentOptions<string>,
    create: () => Series,
  ): SeriesTable<Series> {
    if (!Number.isInteger(maxSeries) || maxSeries < 1 || maxSeries > 10_000)
      throw fault(name, `\`maxSeries\` is a whole number from 1 to 10000, not ${maxSeries}`);
    const table = new SeriesTable(Object.keys(labels), create, maxSeries);
    // Without labels there is one series, which is there from the start: a rate can be told from the first event on.
    if (table.labelNames.length === 0) table.at([]);
    this.#tables.push([name, table]);
    return table;
  }
}

function valuesOf(names: readonly string[], labels: object | undefined): readonly string[] {
  return names.map((name) => String((labels as Readonly<Record<string, unknown>> | undefined)?.[name] ?? ''));
}

function checkBuckets(name: string, buckets: readonly number[]): void {
  const rising = buckets.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > buckets[at - 1]!));
  if (buckets.length === 0 || buckets.length > 100 || !rising)
    throw fault(name, '`buckets` are 1 to 100 finite numbers, each above the one before');
}

function fault(name: string, what: string): HoldfastError {
  return new HoldfastError('configuration_invalid', { detail: `metric "${name}": ${what}` });
}
