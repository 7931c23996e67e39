/**
 * A writer of times as RFC 3339 in UTC to the millisecond (`2026-11-20T09:33:28.114Z`), the same text as
 * `Date.prototype.toISOString`. For writers of many: it asks the calendar once a second instead of for each. Fractions
 * of a millisecond are cut off. `unixMs` MUST be within the years 0 to 9999.
 */
export function createTimestampWriter(): (unixMs: number) => string {
  let second = Number.NaN;
  let prefix = '';
  return (unixMs) => {
    const current = Math.floor(unixMs / 1000);
    if (current !== second) {
      second = current;
      prefix = new Date(current * 1000).toISOString().slice(0, 20);
    }
    const rest = Math.floor(unixMs - current * 1000);
    return `${prefix}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
  };
}
