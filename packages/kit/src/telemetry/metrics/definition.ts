export type MetricType = 'counter' | 'gauge' | 'histogram';

/** What is known of a metric beforehand. The exposition, the reference page and the checks of dashboards and alert rules go by it. */
export interface MetricDefinition {
  /** By Prometheus's conventions: lower case, base unit last, and `_total` after it for a counter. */
  readonly name: string;
  readonly type: MetricType;
  /** One or two sentences: what is counted, and whatever is easily taken for something else. */
  readonly help: string;
  /** What each label says, by its name, in the order of the exposition. */
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds of a histogram's buckets, rising, in its unit. `+Inf` is implied. */
  readonly buckets?: readonly number[];
  /** A query that answers a question with it. */
  readonly example: string;
  /** Where it is not always there: when it is. */
  readonly only?: string;
}

export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

/** Definitions that stand together on the reference page. */
export interface MetricSection {
  readonly title: string;
  readonly definitions: readonly MetricDefinition[];
}

const units = ['seconds', 'bytes', 'ratio', 'usd'] as const;
export type MetricUnit = (typeof units)[number];

/** The unit that the name ends with; undefined for things that are counted. */
export function unitOf(name: string): MetricUnit | undefined {
  const base = familyName(name);
  return units.find((unit) => base.endsWith(`_${unit}`));
}

/** As OpenMetrics calls it: a counter without its `_total`. */
export function familyName(name: string): string {
  return name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
}
