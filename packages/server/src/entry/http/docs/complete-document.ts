import type { ErrorCode } from '@holdfast/kit/errors';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../request-context.ts';
import { errorShapeOf } from '../error-shape.ts';
import { errorResponses, errorsOfEveryRoute } from './error-responses.ts';
import { eventStreamExamples } from './event-stream-examples.ts';
import type { ApiDocument, ApiOperation } from './api-document.ts';
import { addHealthJson } from './health-json.ts';
import { addMediaExamples, mergeInputComponents, removeUnusedComponents } from './components.ts';

interface OperationNote {
  readonly access: Access;
  readonly errors: readonly ErrorCode[];
  readonly hasBody: boolean;
}

/** Remembers of each route what the description needs beyond its schema. */
export function noteOperations(app: FastifyInstance): Map<string, OperationNote> {
  const notes = new Map<string, OperationNote>();
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    const note: OperationNote = {
      access: config?.access ?? 'public',
      errors: config?.errors ?? [],
      hasBody: schema?.body !== undefined,
    };
    for (const name of [method].flat()) notes.set(`${name.toLowerCase()} ${toTemplate(url)}`, note);
  });
  return notes;
}

/** What a path's rest is called, which a router's pattern writes as `*`. */
const restName = 'name';

/** `/api/keys/:id` as OpenAPI writes it. */
function toTemplate(url: string): string {
  return url.replaceAll(/:(\w+)/g, '{$1}').replace('*', `{${restName}}`);
}

/** Adds to each operation who may call it, every error that it can end in, and examples; drops what nothing refers to. */
export function completeDocument(document: ApiDocument, notes: ReadonlyMap<string, OperationNote>): ApiDocument {
  document.paths = Object.fromEntries(Object.entries(document.paths).map(([path, item]) => [path.replace('{*}', `{${restName}}`), item]));
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      operation.operationId ??= operationId(method, path);
      for (const parameter of operation.parameters ?? []) if (parameter.name === '*') parameter.name = restName;
      const note = notes.get(`${method} ${path}`);
      if (note) completeOperation(document, operation, path, note);
    }
  }
  mergeInputComponents(document);
  addMediaExamples(document);
  removeUnusedComponents(document);
  return document;
}

/** `post /v1/chat/completions` is `postV1ChatCompletions`: the name that generated clients use. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

function completeOperation(document: ApiDocument, operation: ApiOperation, path: string, note: OperationNote): void {
  operation.security = note.access === 'public' ? [] : [{ bearer: [] }, { apiKey: [] }];
  addHealthJson(operation);
  const ok = operation.responses['200'];
  if (ok?.content && canStream(document, operation)) {
    ok.content['text/event-stream'] = {
      schema: { type: 'string', description: 'Server-sent events, when the body asks for `stream`.' },
      example: eventStreamExamples[errorShapeOf(path)],
    };
  }
  for (const response of Object.values(operation.responses)) {
    response.headers ??= { 'x-request-id': { description: 'The id of the request.', schema: { type: 'string' } } };
  }
  const codes = new Set<ErrorCode>([...errorsOfEveryRoute(path, note), ...note.errors]);
  for (const [status, response] of Object.entries(errorResponses(codes, errorShapeOf(path)))) operation.responses[status] ??= response;
}

/** Whether the body has a member `stream`, as both dialects name it. */
function canStream(document: ApiDocument, operation: ApiOperation): boolean {
  const schema = operation.requestBody?.content['application/json']?.schema;
  const ref = schema?.['$ref'];
  const resolved = typeof ref === 'string' ? document.components.schemas[ref.slice(ref.lastIndexOf('/') + 1)] : schema;
  return 'stream' in ((resolved?.['properties'] as object | undefined) ?? {});
}
