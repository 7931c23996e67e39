import type { Draw } from '../draw.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A number of a schema: small and whole where the bounds allow it. */
export function sampleNumber(schema: Fields, draw: Draw, integer: boolean): number {
  const step = positive(schema['multipleOf']);
  const unit = step ?? (integer ? 1 : undefined);
  let low = finite(schema['minimum']) ?? Number.NEGATIVE_INFINITY;
  let high = finite(schema['maximum']) ?? Number.POSITIVE_INFINITY;
  const above = finite(schema['exclusiveMinimum']);
  const below = finite(schema['exclusiveMaximum']);
  if (unit === undefined) return between(low, high, above, below, draw);
  // On a grid, to exclude a bound is to go one step further.
  if (above !== undefined) low = Math.max(low, (Math.floor(above / unit) + 1) * unit);
  if (below !== undefined) high = Math.min(high, (Math.ceil(below / unit) - 1) * unit);
  const wished = (1 + draw.below(9)) * unit;
  const lowest = low === Number.NEGATIVE_INFINITY ? low : Math.ceil(low / unit) * unit;
  const highest = high === Number.POSITIVE_INFINITY ? high : Math.floor(high / unit) * unit;
  return Math.min(Math.max(wished, lowest), highest);
}

function between(low: number, high: number, above: number | undefined, below: number | undefined, draw: Draw): number {
  const wished = 1 + draw.below(9);
  const fits = (value: number) =>
    value >= low && value <= high && (above === undefined || value > above) && (below === undefined || value < below);
  if (fits(wished)) return wished;
  const floor = Math.max(low, above ?? Number.NEGATIVE_INFINITY);
  const ceiling = Math.min(high, below ?? Number.POSITIVE_INFINITY);
  if (floor !== Number.NEGATIVE_INFINITY && ceiling !== Number.POSITIVE_INFINITY) return floor + (ceiling - floor) / 2;
  return floor !== Number.NEGATIVE_INFINITY
    ? floor + Math.max(1, Math.abs(floor) * 2e-16)
    : ceiling - Math.max(1, Math.abs(ceiling) * 2e-16);
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : undefined;
}
