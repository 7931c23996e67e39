type Fields = Readonly<Record<string, unknown>>;

/** Looks up what `#/$defs/name` and other pointers into the same schema mean. Undefined where there is nothing. */
export function resolveReference(root: unknown, reference: unknown): unknown {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
  let at: unknown = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = decodeStep(step);
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Fields)[key];
  }
  return at;
}

function decodeStep(step: string): string {
  let text = step;
  try {
    text = decodeURIComponent(step);
  } catch {
    // A stray per cent sign: taken as it is.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** Two schemas that must both hold, as one: properties joined, bounds narrowed; where they say different things the second wins. */
export function mergeSchemas(one: Fields, other: Fields): Fields {
  const merged: Record<string, unknown> = { ...one, ...other };
  for (const bound of ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'])
    narrow(merged, bound, one, other, Math.max);
  for (const bound of ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'])
    narrow(merged, bound, one, other, Math.min);
  if (isFields(one['properties']) && isFields(other['properties'])) {
    const properties: Record<string, unknown> = { ...one['properties'] };
    for (const [name, schema] of Object.entries(other['properties'])) {
      const before = Object.hasOwn(properties, name) ? properties[name] : undefined;
      properties[name] = before === undefined ? schema : { allOf: [before, schema] };
    }
    merged['properties'] = properties;
  }
  if (Array.isArray(one['required']) && Array.isArray(other['required']))
    merged['required'] = [...new Set([...(one['required'] as unknown[]), ...(other['required'] as unknown[])])];
  if (Array.isArray(one['enum']) && Array.isArray(other['enum'])) {
    const allowed = new Set((other['enum'] as unknown[]).map((value) => JSON.stringify(value)));
    merged['enum'] = (one['enum'] as unknown[]).filter((value) => allowed.has(JSON.stringify(value)));
  }
  return merged;
}

function narrow(
  merged: Record<string, unknown>,
  bound: string,
  one: Fields,
  other: Fields,
  choose: (a: number, b: number) => number,
): void {
  const [a, b] = [one[bound], other[bound]];
  if (typeof a === 'number' && typeof b === 'number') merged[bound] = choose(a, b);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
