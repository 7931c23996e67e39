import { isObject, type JsonObject } from '../json/index.ts';

/** Anthropic wants `type: object` said; OpenAI takes a function without any parameters. */
export function toInputSchema(parameters: unknown): JsonObject {
  if (!isObject(parameters)) return { type: 'object', properties: {} };
  return parameters['type'] === undefined ? { type: 'object', ...parameters } : parameters;
}
