import { defineChannel, defineScope } from '../../events/index.ts';
import type { AttributeValue } from './span.ts';

/** The span of a function that runs. */
export interface FunctionSpan {
  /** Says something of what the function does: numbers, flags and words of your own choice, never what users wrote. */
  set(name: string, value: AttributeValue): void;
}

/** A function of somebody's, as it runs and when it has ended. */
export class TracedFunction implements FunctionSpan {
  readonly name: string;
  readonly attributes: Record<string, AttributeValue>;
  failed = false;
  error: unknown;

  constructor(name: string, attributes: Readonly<Record<string, AttributeValue>>) {
    this.name = name;
    this.attributes = { ...attributes };
  }

  set(name: string, value: AttributeValue): void {
    this.attributes[name] = value;
  }
}

export const functionRun = defineScope<TracedFunction>('holdfast:telemetry:function-run');
export const functionEnded = defineChannel<TracedFunction>('holdfast:telemetry:function-ended');

const unheard: FunctionSpan = Object.freeze({ set() {} });

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
  if (!functionRun.isHeard) return work(unheard);
  const running = new TracedFunction(name, attributes);
  return functionRun.run(running, () => {
    let result: Result;
    try {
      result = work(running);
    } catch (error) {
      end(running, true, error);
      throw error;
    }
    if (!(result instanceof Promise)) {
      end(running, false, undefined);
      return result;
    }
    return result.then(
      (value: unknown) => {
        end(running, false, undefined);
        return value;
      },
      (error: unknown) => {
        end(running, true, error);
        throw error;
      },
    ) as Result;
  });
}

function end(running: TracedFunction, failed: boolean, error: unknown): void {
  running.failed = failed;
  running.error = error;
  functionEnded.publish(running);
}
