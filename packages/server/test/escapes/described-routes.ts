import type { Marks } from './marks.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly pattern?: string;
}

interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required?: boolean;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<
        string,
        { readonly schema: Schema; readonly example?: unknown; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }
      >
    >;
  };
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

/** A route of the description, and what its requests are made of. */
export interface DescribedRoute {
  /** `POST /api/keys` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly schema: Schema; readonly example: unknown } | undefined;
}

export function routesOf(document: ApiDocument): DescribedRoute[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]): DescribedRoute => {
      const method = verb.toUpperCase();
      const content = operation.requestBody?.content['application/json'];
      return {
        name: `${method} ${path}`,
        method,
        path,
        parameters: operation.parameters ?? [],
        body: content && { schema: content.schema, example: content.example ?? Object.values(content.examples ?? {})[0]?.value },
      };
    }),
  );
}

/** Every member that the schema knows, however deep, with a mark for a value whatever its type, and one that it does not know. */
export function markedByMember(document: ApiDocument, schema: Schema, marks: Marks, from: string, depth = 0): unknown {
  const resolved = resolve(document, schema);
  const members: Record<string, unknown> = {};
  if (depth > 4) return marks.everything(from);
  for (const each of [resolved, ...(resolved.anyOf ?? []), ...(resolved.oneOf ?? []), ...(resolved.allOf ?? [])].map((part) =>
    resolve(document, part),
  )) {
    for (const [name, member] of Object.entries(each.properties ?? {}))
      members[name] = markedByMember(document, member, marks, `${from}.${name}`, depth + 1);
    if (each.items) return [markedByMember(document, each.items, marks, `${from}[]`, depth + 1)];
  }
  if (Object.keys(members).length === 0) return marks.everything(from);
  return { ...members, unknown_member: marks.everything(`${from}.unknown_member`), [marks.everything(`a name in ${from}`)]: 1 };
}

/** The example of the description, which is a good request, with marks for its texts where the schema takes any text. */
export function markedExample(document: ApiDocument, schema: Schema, example: unknown, marks: Marks, from: string): unknown {
  if (typeof example === 'string') return takesAnyText(document, schema) ? marks.word(from) : example;
  if (Array.isArray(example)) {
    const items = partsOf(document, schema).find((part) => part.items)?.items;
    return example.map((each: unknown) => (items ? markedExample(document, items, each, marks, `${from}[]`) : each));
  }
  if (typeof example !== 'object' || example === null) return example;
  const parts = partsOf(document, schema);
  return Object.fromEntries(
    Object.entries(example).map(([name, value]) => {
      const member = parts.find((part) => part.properties?.[name])?.properties?.[name];
      return [name, member ? markedExample(document, member, value, marks, `${from}.${name}`) : value];
    }),
  );
}

function takesAnyText(document: ApiDocument, schema: Schema): boolean {
  return partsOf(document, schema).some(
    (part) =>
      part.type === 'string' &&
      part.enum === undefined &&
      part.const === undefined &&
      part.format === undefined &&
      part.pattern === undefined,
  );
}

function partsOf(document: ApiDocument, schema: Schema, depth = 0): Schema[] {
  const resolved = resolve(document, schema);
  if (depth > 4) return [resolved];
  return [
    resolved,
    ...[...(resolved.anyOf ?? []), ...(resolved.oneOf ?? []), ...(resolved.allOf ?? [])].flatMap((part) =>
      partsOf(document, part, depth + 1),
    ),
  ];
}

function resolve(document: ApiDocument, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  return document.components?.schemas?.[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] ?? {};
}
