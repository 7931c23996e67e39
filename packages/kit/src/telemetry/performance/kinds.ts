/**
 * What is measured, and what its series are told apart by: `group` and `name`.
 *
 * | kind | group | name |
 * | --- | --- | --- |
 * | `request` | method | route pattern |
 * | `model_call`, `first_token`, `overhead` | provider | model |
 * | `database` | statement, such as `select` | table |
 * | `cache` | cache | operation, such as `get` |
 * | `operation` | empty | what `monitorPerformance` was told |
 *
 * All are times in milliseconds. `first_token` is known of streams only; `overhead` is what a call spent in this process.
 */
export const seriesKinds = ['request', 'model_call', 'first_token', 'overhead', 'database', 'cache', 'operation'] as const;

export type SeriesKind = (typeof seriesKinds)[number];

/** Numbers that are added up beside the time, in the order in which a record keeps them: never change it, only append. */
export const sumNames = Object.freeze({
  request: ['requestBytes', 'responseBytes'],
  model_call: ['promptTokens', 'completionTokens', 'cachedTokens', 'costNanoUsd', 'unpriced', 'attempts'],
  first_token: [],
  overhead: [],
  database: [],
  cache: ['hits', 'misses'],
  operation: [],
} as const satisfies Readonly<Record<SeriesKind, readonly string[]>>);

export type SumName<Kind extends SeriesKind> = (typeof sumNames)[Kind][number];

/** The kinds that are judged by a threshold. */
export type JudgedKind = 'request' | 'model_call' | 'database' | 'cache' | 'operation';
