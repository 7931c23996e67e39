import { runWork } from '../../events/index.ts';
import type { AttributeValue } from './span.ts';

/** The span of a function that runs. */
export interface FunctionSpan {
  /** Says something of what the function does: numbers, flags and words of your own choice, never what users wrote. */
  set(name: string, value: AttributeValue): void;
}

/**
 * Runs a function as a span of the request in which it is called, or as a trace of its own where there is none, and returns what it
 * returns: synchronous ones stay so. What it throws or rejects with is passed on, and the span says that it failed. While nobody traces it costs
 * one look, and the function gets a span that forgets.
 */
export function trace<Result>(
  name: string,
  work: (span: FunctionSpan) => Result,
  attributes: Readonly<Record<string, AttributeValue>> = {},
): Result {
  return runWork(name, work, attributes);
}
