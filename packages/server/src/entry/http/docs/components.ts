import { anthropicError, errorEnvelope, healthJson, openaiError } from '@holdfast/contracts';
import type { ApiDocument, ApiMedia } from './api-document.ts';

const prefix = '#/components/schemas/';

// These are referred to by name, and zod knows a name only once its schema has been made.
void [anthropicError, errorEnvelope, healthJson, openaiError];

/**
 * The generator names each schema twice, `Name` and `NameInput`. Where both say the same, or only one is used, the
 * description has it once, under its plain name.
 */
export function mergeInputComponents(document: ApiDocument): void {
  const { schemas } = document.components;
  const used = reachable(document);
  const renamed = new Map<string, string>();
  for (const name of Object.keys(schemas)) {
    const plain = name.slice(0, -'Input'.length);
    if (!name.endsWith('Input') || !schemas[plain] || !used.has(name)) continue;
    if (!used.has(plain) || sameShape(schemas[name], schemas[plain])) {
      schemas[plain] = schemas[name]!;
      renamed.set(name, plain);
    }
  }
  for (const name of renamed.keys()) delete schemas[name];
  eachRef(document, (ref) => prefix + (renamed.get(ref) ?? ref));
}

function sameShape(left: unknown, right: unknown): boolean {
  const plain = (value: unknown) => JSON.stringify(value).replaceAll(/(#\/components\/schemas\/\w+?)Input"/g, '$1"');
  return plain(left) === plain(right);
}

/** Viewers show examples of a body, not of the schema that it refers to. */
export function addMediaExamples(document: ApiDocument): void {
  const fill = (media: ApiMedia) => {
    if (media.example !== undefined || media.examples !== undefined) return;
    const examples = examplesOf(document, media.schema);
    if (examples.length === 0) return;
    if (examples.length === 1) media.example = examples[0];
    else media.examples = Object.fromEntries(examples.map((value, index) => [`example${index + 1}`, { value }]));
  };
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(item)) {
      for (const media of Object.values(operation.requestBody?.content ?? {})) fill(media);
      for (const response of Object.values(operation.responses)) for (const media of Object.values(response.content ?? {})) fill(media);
    }
  }
}

/** Those of the schema itself, of the one that it refers to, or of its first alternative that has any. */
function examplesOf(document: ApiDocument, schema: Record<string, unknown>): unknown[] {
  const ref = schema['$ref'];
  const resolved = typeof ref === 'string' ? (document.components.schemas[ref.slice(prefix.length)] ?? {}) : schema;
  if (Array.isArray(resolved['examples'])) return resolved['examples'];
  const alternatives = (resolved['anyOf'] ?? resolved['oneOf'] ?? []) as Record<string, unknown>[];
  return alternatives.map((each) => examplesOf(document, each)).find(({ length }) => length > 0) ?? [];
}

export function removeUnusedComponents(document: ApiDocument): void {
  const used = reachable(document);
  for (const name of Object.keys(document.components.schemas)) if (!used.has(name)) delete document.components.schemas[name];
}

/** Names of the schemas that the paths refer to, directly or through others. */
function reachable(document: ApiDocument): Set<string> {
  const used = new Set<string>();
  const follow = (ref: string) => {
    if (!used.has(ref)) {
      used.add(ref);
      eachRef(document.components.schemas[ref], follow);
    }
    return prefix + ref;
  };
  eachRef(document.paths, follow);
  return used;
}

/** Calls with the name in each `$ref`, and writes back what it returns. */
function eachRef(node: unknown, visit: (name: string) => string): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === '$ref' && typeof value === 'string' && value.startsWith(prefix)) {
      (node as Record<string, unknown>)[key] = visit(value.slice(prefix.length));
    } else {
      eachRef(value, visit);
    }
  }
}
