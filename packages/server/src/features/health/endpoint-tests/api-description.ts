/** As much of an OpenAPI document as is tested. */
export interface ApiDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, JsonSchema>> };
}

export interface Operation {
  readonly security?: readonly object[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema; readonly examples?: JsonSchema }>> }>
  >;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface DescribedRoute {
  /** `GET` */
  readonly method: string;
  /** `/api/keys/{id}` */
  readonly path: string;
  /** `GET /api/keys/{id}` */
  readonly name: string;
  readonly operation: Operation;
  readonly needsKey: boolean;
  readonly needsScope: boolean;
}

export function routesOf({ paths }: ApiDescription): DescribedRoute[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]) => {
      const method = verb.toUpperCase();
      const needsKey = (operation.security ?? []).length > 0;
      return { method, path, name: `${method} ${path}`, operation, needsKey, needsScope: needsKey && mayLackScope(operation) };
    }),
  );
}

/** Each error that a route may answer stands among the examples of its status, by its code. */
function mayLackScope({ responses }: Operation): boolean {
  return 'scope_missing' in (responses['403']?.content?.['application/json']?.examples ?? {});
}

/** Whether there is a body that has to be refused, since something is missing in it. */
export function requiresMembers({ operation }: DescribedRoute, { components }: ApiDescription): boolean {
  const schema = operation.requestBody?.content['application/json']?.schema;
  const ref = schema?.['$ref'];
  const resolved = typeof ref === 'string' ? components?.schemas?.[ref.slice(ref.lastIndexOf('/') + 1)] : schema;
  return Array.isArray(resolved?.['required']) && resolved['required'].length > 0;
}
