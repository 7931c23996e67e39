import { defineChannel } from './channel.ts';
import { defineScope } from './scope.ts';

export type WorkValue = string | number | boolean | readonly string[];

/** A piece of work with a name, as it runs and when it has ended. */
export class Work {
  readonly name: string;
  readonly attributes: Record<string, WorkValue>;
  /** It is nobody's who happens to be there when it begins: upkeep, whose timer was set on the way of a request. */
  readonly isUpkeep: boolean;
  failed = false;
  error: unknown;

  constructor(name: string, attributes: Readonly<Record<string, WorkValue>>, isUpkeep: boolean) {
    this.name = name;
    this.attributes = { ...attributes };
    this.isUpkeep = isUpkeep;
  }

  set(name: string, value: WorkValue): void {
    this.attributes[name] = value;
  }
}

export const workRun = defineScope<Work>('holdfast:telemetry:function-run');
export const workEnded = defineChannel<Work>('holdfast:telemetry:function-ended');

const unheard: Pick<Work, 'set'> = Object.freeze({ set() {} });

/**
 * Does the work, announces that it runs and how it ended, and returns what it returns: synchronous work stays so. What it throws or rejects with
 * is passed on. While nobody listens it costs one look, and the work gets a `set` that forgets.
 */
export function runWork<Result>(
  name: string,
  work: (running: Pick<Work, 'set'>) => Result,
  attributes: Readonly<Record<string, WorkValue>> = {},
  isUpkeep = false,
): Result {
  if (!workRun.isHeard) return work(unheard);
  const running = new Work(name, attributes, isUpkeep);
  return workRun.run(running, () => {
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

/** The same of what a server does by itself, time and again: `holdfast.recovery`. A trace of its own, wherever it was begun. */
export function runUpkeep<Result>(name: string, work: (running: Pick<Work, 'set'>) => Result): Result {
  return runWork(name, work, {}, true);
}

function end(running: Work, failed: boolean, error: unknown): void {
  running.failed = failed;
  running.error = error;
  workEnded.publish(running);
}
