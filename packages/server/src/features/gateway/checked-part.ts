/** Array elements that are checked in one body. */
const mostElements = 10_000;

/**
 * The part of a body that is checked against a schema: all of it, with long arrays cut short. The checker makes an object of
 * several hundred bytes for each fault and ends only when it has found them all: 32 MiB of `[1,1,1,…]` for messages would
 * take the whole process down. What lies beyond is the provider's to judge, like everything that the schema does not name.
 */
export function checkedPart(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  let left = mostElements;

  function cut(each: unknown): unknown {
    if (typeof each !== 'object' || each === null) return each;
    if (!Array.isArray(each)) return Object.fromEntries(Object.entries(each).map(([name, member]) => [name, cut(member)]));
    // Never emptied: an array that has elements must not look as if it had none.
    const kept = each.slice(0, Math.max(1, left));
    left -= kept.length;
    return kept.map(cut);
  }

  return cut(value) as Record<string, unknown>;
}
