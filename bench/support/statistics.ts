/** Middle and spread of a few runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

export function show({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** Mean with the half width of its confidence interval of 95 %, by Student's t. */
export interface Mean {
  readonly mean: number;
  readonly halfWidth: number;
  readonly count: number;
}

/** Two-sided 97.5 % points of Student's t for 1, 2, … degrees of freedom (table of any textbook); 1.96 beyond. */
const studentT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
  2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Values are taken for independent draws: give means of groups where values of a group hang together. */
export function meanOf(values: readonly number[]): Mean {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, halfWidth: Number.NaN, count };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { mean, halfWidth: (studentT[count - 2] ?? 1.96) * Math.sqrt(variance / count), count };
}

export function showMean({ mean, halfWidth }: Mean, digits: number): string {
  return `${mean.toFixed(digits)} ± ${halfWidth.toFixed(digits)}`;
}
