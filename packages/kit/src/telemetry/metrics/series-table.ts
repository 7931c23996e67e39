type Node<Series> = Map<string, Node<Series> | Series>;

/** What every label says once a table is full. */
export const overflowLabel = 'other';

/**
 * One record of numbers for each combination of label values. Looked up level by level, so that no key has to be built.
 * Bounded: past `maxSeries` what is new is counted together under `other`, because a label that grows without end takes the
 * server's memory and Prometheus's too.
 */
export class SeriesTable<Series extends object> {
  readonly labelNames: readonly string[];
  readonly #create: () => Series;
  readonly #maxSeries: number;
  readonly #root: Node<Series> = new Map();
  readonly #all: { readonly labels: readonly string[]; readonly series: Series }[] = [];

  constructor(labelNames: readonly string[], create: () => Series, maxSeries = 500) {
    this.labelNames = labelNames;
    this.#create = create;
    this.#maxSeries = maxSeries;
  }

  /** `values` in the order of the label names. */
  at(values: readonly string[]): Series {
    let node: Node<Series> = this.#root;
    const last = this.labelNames.length - 1;
    for (let level = 0; level < last; level++) {
      const next = node.get(values[level]!) as Node<Series> | undefined;
      if (!next) return this.#add(values);
      node = next;
    }
    return (node.get(values[last]!) as Series | undefined) ?? this.#add(values);
  }

  entries(): readonly { readonly labels: readonly string[]; readonly series: Series }[] {
    return this.#all;
  }

  #add(values: readonly string[]): Series {
    const overflow = this.labelNames.map(() => overflowLabel);
    const full = this.#all.length >= this.#maxSeries;
    if (full && !values.every((value) => value === overflowLabel)) return this.at(overflow);
    let node: Node<Series> = this.#root;
    const last = this.labelNames.length - 1;
    for (let level = 0; level < last; level++) {
      let next = node.get(values[level]!) as Node<Series> | undefined;
      if (!next) node.set(values[level]!, (next = new Map()));
      node = next;
    }
    const series = this.#create();
    node.set(values[last]!, series);
    this.#all.push({ labels: [...values], series });
    return series;
  }
}
