import { QuantileSketch } from './quantile-sketch.ts';

/** Times of one thing, how often it failed or was slow, and what else is added up of it. */
export class Series {
  readonly group: string;
  readonly name: string;
  readonly sketch = new QuantileSketch();
  failures = 0;
  slow = 0;
  /** In the order of `sumNames` of the kind. */
  readonly sums: number[];

  constructor(group: string, name: string, sums: number) {
    this.group = group;
    this.name = name;
    this.sums = Array.from({ length: sums }, () => 0);
  }
}

/** What a series that has no place any more is counted under. */
export const otherName = 'other';

/** The series of one kind. Bounded: past `maxSeries` what is new is counted together as `other`. */
export class SeriesMap {
  readonly #sums: number;
  readonly #maxSeries: number;
  // Level by level, so that no key has to be built.
  readonly #groups = new Map<string, Map<string, Series>>();
  readonly #all: Series[] = [];

  constructor(sums: number, maxSeries: number) {
    this.#sums = sums;
    this.#maxSeries = maxSeries;
  }

  at(group: string, name: string): Series {
    return this.#groups.get(group)?.get(name) ?? this.#add(group, name);
  }

  all(): readonly Series[] {
    return this.#all;
  }

  #add(group: string, name: string): Series {
    const isOther = group === otherName && name === otherName;
    if (this.#all.length >= this.#maxSeries && !isOther) return this.at(otherName, otherName);
    let names = this.#groups.get(group);
    if (!names) this.#groups.set(group, (names = new Map()));
    const series = new Series(group, name, this.#sums);
    names.set(name, series);
    this.#all.push(series);
    return series;
  }
}
