import type { AttributeValue } from '../span.ts';

/** One statement or command, for whoever measures them. */
export interface TracedQuery {
  /** `postgresql`, `redis`. */
  readonly system: string;
  /** `select`, `EVALSHA`: one of few. */
  readonly operation: string;
  readonly collection?: string | undefined;
  /** With `$1` in place of values. */
  readonly text?: string | undefined;
  readonly durationMs: number;
  /** Of one that failed. */
  readonly errorCode?: string | undefined;
}

const maxTextChars = 1_024;

/** By the database conventions. */
export function queryAttributes({ system, operation, collection, text, errorCode }: TracedQuery): Readonly<Record<string, AttributeValue>> {
  return {
    'db.system.name': system,
    'db.operation.name': operation,
    ...(collection !== undefined && { 'db.collection.name': collection }),
    ...(text !== undefined && { 'db.query.text': text.slice(0, maxTextChars) }),
    ...(errorCode !== undefined && { 'error.type': errorCode, 'db.response.status_code': errorCode }),
  };
}
