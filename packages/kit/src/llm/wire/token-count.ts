/** A count as a provider sent it: whole and not negative, else 0. Beyond 2^53 it would not be a count. */
export function tokenCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
