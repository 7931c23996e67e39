import { labelPairs } from './label-pairs.ts';

type Node<Series> = Map<string, Node<Series> | Entry<Series>>;

/** One combination of label values and its numbers. */
export interface Entry<Series> {
  readonly labels: readonly string[];
  /** As the exposition writes them, made once: a scrape of thousands of series spends its time on little else. */
  readonly pairs: string;
  readonly series: Series;
}

/** What every label says once a table is full. */
export const overflowLabel = 'other';

/** UTF-16 units of a label value that are kept; what is the same up to there is the same series. */
const maxValueLength = 128;

/**
 * One record of numbers for each combination of label values. Looked up level by level, so that no key has to be built.
 * Bounded: past `maxSeries` what is new is counted together under `other`, and values are clipped, because a label that grows without end
 * takes the server's memory and Prometheus's too.
 */
export class SeriesTable<Series extends object> {
  readonly labelNames: readonly string[];
  readonly #create: () => Series;
  readonly #maxSeries: number;
  readonly #root: Node<Series> = new Map();
  readonly #all: Entry<Series>[] = [];
  #unlabelled: Entry<Series> | undefined;
  #overflow: Entry<Series> | undefined;
  #overflowed = 0;

  constructor(labelNames: readonly string[], create: () => Series, maxSeries = 500) {
    this.labelNames = labelNames;
    this.#create = create;
    this.#maxSeries = maxSeries;
  }

  /** How often something was counted under `other` because the table was full. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** `values` in the order of the label names, as many as there are. */
  at(values: readonly string[]): Series {
    return (this.#find(values) ?? this.#add(values)).series;
  }

  entries(): readonly Entry<Series>[] {
    return this.#all;
  }

  #find(values: readonly string[]): Entry<Series> | undefined {
    const last = this.labelNames.length - 1;
    if (last < 0) return this.#unlabelled;
    let node = this.#root;
    for (let level = 0; level < last; level++) {
      const next = node.get(values[level]!) as Node<Series> | undefined;
      if (!next) return undefined;
      node = next;
    }
    return node.get(values[last]!) as Entry<Series> | undefined;
  }

  #add(given: readonly string[]): Entry<Series> {
    let values = given;
    if (given.some(isUnfit)) {
      values = given.map(toFit);
      const same = this.#find(values);
      if (same) return same;
    }
    if (this.#all.length < this.#maxSeries) return this.#insert(values.map(copyOf));
    this.#overflowed++;
    // One more than the bound, and once: whatever else comes is found there.
    if (!this.#overflow) {
      const others = this.labelNames.map(() => overflowLabel);
      this.#overflow = this.#find(others) ?? this.#insert(others);
    }
    return this.#overflow;
  }

  #insert(values: readonly string[]): Entry<Series> {
    const entry = { labels: values, pairs: labelPairs(this.labelNames, values), series: this.#create() };
    const last = this.labelNames.length - 1;
    if (last < 0) this.#unlabelled = entry;
    else {
      let node = this.#root;
      for (let level = 0; level < last; level++) {
        let next = node.get(values[level]!) as Node<Series> | undefined;
        if (!next) node.set(values[level]!, (next = new Map()));
        node = next;
      }
      node.set(values[last]!, entry);
    }
    this.#all.push(entry);
    return entry;
  }
}

function isUnfit(value: string): boolean {
  return value.length > maxValueLength || !value.isWellFormed();
}

/**
 * Lone surrogates become U+FFFD, as they would on the wire: two series that differ in them alone would be the same one there, for which
 * Prometheus refuses a scrape.
 */
function toFit(value: string): string {
  return value.slice(0, maxValueLength).toWellFormed();
}

/** V8 keeps the whole of a text, a request's body say, for as long as a part of it lives. */
function copyOf(value: string): string {
  return Buffer.from(value).toString();
}
