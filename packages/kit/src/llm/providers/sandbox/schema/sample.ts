import type { Draw } from '../draw.ts';
import { rejected } from '../rejected.ts';
import { sampleNumber } from './number-sample.ts';
import { isFields, mergeSchemas, resolveReference } from './resolve-schema.ts';
import { sampleString } from './string-sample.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Deeper than this, only what a schema requires is made, and the shortest alternatives are taken. */
const fullDepth = 4;
/** Deeper than this, a schema is taken to refer to itself without end. */
const maxDepth = 64;
/**
 * What a value may cost to make: its letters, the parts of the schemas looked at, and something for each. A client's schema
 * that asks for a million items, or for a long text ten thousand times, gets an error and not the process's next minute.
 */
const maxCost = 300_000;
const costOfSchema = 30;

/**
 * A value that fits a JSON schema (draft 2020-12 and the older ones as far as providers take them): types, enums, bounds,
 * formats, patterns, `$ref`, `allOf`, `anyOf`, `oneOf`. `not`, `if`, `contains` and the like are passed over.
 * Throws `provider_rejected_request` for a schema that needs a value without end.
 */
export function sampleSchema(schema: unknown, draw: Draw): unknown {
  return new Sampler(schema, draw).value(schema, 0);
}

class Sampler {
  readonly #root: unknown;
  readonly #draw: Draw;
  #cost = 0;

  constructor(root: unknown, draw: Draw) {
    this.#root = root;
    this.#draw = draw;
  }

  value(given: unknown, depth: number): unknown {
    const schema = this.#flatten(given, depth);
    if ('const' in schema) return this.#given(schema['const']);
    if (Array.isArray(schema['enum']) && schema['enum'].length > 0)
      return this.#given(this.#draw.of(schema['enum'] as [unknown, ...unknown[]]));
    switch (this.#typeOf(schema, depth)) {
      case 'object':
        return this.#object(schema, depth);
      case 'array':
        return this.#array(schema, depth);
      case 'string':
        return this.#given(sampleString(schema, this.#draw));
      case 'integer':
        return sampleNumber(schema, this.#draw, true);
      case 'number':
        return sampleNumber(schema, this.#draw, false);
      case 'boolean':
        return this.#draw.below(2) === 1;
      default:
        return null;
    }
  }

  /** A value that is as long as the schema says. */
  #given(value: unknown): unknown {
    this.#charge(typeof value === 'object' ? JSON.stringify(value).length : String(value).length);
    return value;
  }

  #charge(cost: number): void {
    this.#cost += cost;
    if (this.#cost > maxCost) throw rejected('The JSON schema asks for a value that is too large.');
  }

  /** The schema with its references followed and its combinations decided. */
  #flatten(given: unknown, depth: number): Fields {
    // Counted here, where every schema passes by: an `allOf` of itself makes no value and still never ends.
    if (depth > maxDepth) throw rejected('The JSON schema refers to itself without an end.');
    let schema: Fields = isFields(given) ? given : {};
    for (let steps = 0; ; steps++) {
      if (steps > maxDepth) throw rejected('The JSON schema refers to itself without an end.');
      this.#charge(costOfSchema + partsOf(schema));
      const { $ref, allOf, anyOf, oneOf, ...rest } = schema;
      if ($ref !== undefined)
        schema = mergeSchemas(fieldsOf(resolveReference(this.#root, $ref)), withoutUndefined({ ...rest, allOf, anyOf, oneOf }));
      else if (Array.isArray(allOf))
        schema = (allOf as unknown[]).reduce<Fields>(
          (merged, part) => mergeSchemas(merged, this.#flatten(part, depth + 1)),
          withoutUndefined({ ...rest, anyOf, oneOf }),
        );
      else if (Array.isArray(anyOf) && anyOf.length > 0)
        schema = mergeSchemas(withoutUndefined({ ...rest, oneOf }), this.#branch(anyOf as unknown[], depth));
      else if (Array.isArray(oneOf) && oneOf.length > 0) schema = mergeSchemas(rest, this.#branch(oneOf as unknown[], depth));
      else return schema;
    }
  }

  /** The first alternative; deep down the first that needs nothing below it. */
  #branch(branches: readonly unknown[], depth: number): Fields {
    const shallow = depth < fullDepth ? undefined : branches.find((branch) => isFields(branch) && isLeaf(branch));
    return fieldsOf(shallow ?? branches[0]);
  }

  #typeOf(schema: Fields, depth: number): string {
    const { type } = schema;
    if (typeof type === 'string') return type;
    if (Array.isArray(type) && type.length > 0) {
      const leaf = depth < fullDepth ? undefined : (type as unknown[]).find((one) => one !== 'object' && one !== 'array');
      return String(leaf ?? type[0]);
    }
    if (['properties', 'required', 'additionalProperties', 'minProperties'].some((key) => key in schema)) return 'object';
    if (['items', 'prefixItems', 'minItems', 'maxItems'].some((key) => key in schema)) return 'array';
    if (['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'].some((key) => key in schema)) return 'number';
    return 'string';
  }

  #object(schema: Fields, depth: number): Fields {
    const properties = fieldsOf(schema['properties']);
    const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as unknown[]).map(String) : []);
    const most = typeof schema['maxProperties'] === 'number' ? schema['maxProperties'] : Number.POSITIVE_INFINITY;
    const names = new Set([...Object.keys(properties).filter((name) => required.has(name) || depth < fullDepth), ...required]);
    // Entries, not assignments: a property may be called `__proto__`.
    const entries: [string, unknown][] = [];
    let optionalLeft = most - required.size;
    for (const name of names) {
      if (properties[name] === false) continue;
      if (!required.has(name) && optionalLeft-- <= 0) continue;
      this.#charge(name.length);
      entries.push([name, this.value(Object.hasOwn(properties, name) ? properties[name] : schema['additionalProperties'], depth + 1)]);
    }
    const least = typeof schema['minProperties'] === 'number' ? schema['minProperties'] : 0;
    for (let extra = 1; entries.length < least; extra++) {
      if (!names.has(`key${extra}`)) entries.push([`key${extra}`, this.value(schema['additionalProperties'], depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  #array(schema: Fields, depth: number): unknown[] {
    const prefix = Array.isArray(schema['prefixItems'])
      ? (schema['prefixItems'] as unknown[])
      : Array.isArray(schema['items'])
        ? (schema['items'] as unknown[])
        : [];
    const least = typeof schema['minItems'] === 'number' ? schema['minItems'] : 0;
    const most = typeof schema['maxItems'] === 'number' ? schema['maxItems'] : Number.POSITIVE_INFINITY;
    const itemsAllowed = schema['items'] !== false && !(prefix.length > 0 && schema['items'] === undefined);
    const wished = depth >= fullDepth ? least : Math.max(least, prefix.length, itemsAllowed ? 2 : 0);
    const items: unknown[] = [];
    const seen = new Set<string>();
    for (let tries = 0; items.length < Math.min(wished, most); tries++) {
      const value = this.value(
        prefix[items.length] ?? (Array.isArray(schema['items']) ? schema['additionalItems'] : schema['items']),
        depth + 1,
      );
      if (schema['uniqueItems'] === true) {
        const text = JSON.stringify(value);
        if (seen.has(text)) {
          // A boolean has but two values: fewer items than wished may still be enough.
          if (items.length >= least && tries > 100) break;
          continue;
        }
        seen.add(text);
      }
      items.push(value);
    }
    return items;
  }
}

/** How many parts a schema has that are gone through when it is read or merged. */
function partsOf(schema: Fields): number {
  let parts = Object.keys(schema).length + Object.keys(fieldsOf(schema['properties'])).length;
  for (const list of [schema['enum'], schema['required'], schema['allOf'], schema['anyOf'], schema['oneOf']])
    if (Array.isArray(list)) parts += list.length;
  return parts;
}

/** Whether an alternative can be made without going deeper. */
function isLeaf(branch: Fields): boolean {
  const { type } = branch;
  return 'const' in branch || 'enum' in branch || (typeof type === 'string' && type !== 'object' && type !== 'array');
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
