import type { CallContext } from './call-context.ts';
import type { Execute, ExecuteOptions } from './execute.ts';

/** Any function: what it takes and returns is inferred where it is wrapped. */
export type AnyFunction = (...args: never[]) => unknown;

/**
 * The function as it was, overloads and type parameters included, where it returns a plain promise. One that returns
 * something else returns a promise of it: a client's own kind of promise is not what comes out of a policy.
 */
export type Wrapped<Fn extends AnyFunction> =
  Promise<Awaited<ReturnType<Fn>>> extends ReturnType<Fn> ? Fn : (...args: Parameters<Fn>) => Promise<Awaited<ReturnType<Fn>>>;

export interface WrapOptions<Fn extends AnyFunction> {
  /**
   * Where the function takes its signal, for those that are called without one: returns the arguments with the signal of
   * the attempt among them, as in `passSignal: ([url, init], signal) => [url, { ...init, signal }]`.
   *
   * Without it, a signal among the caller's arguments, alone or as `signal` of a plain object, is the caller's; the
   * function gets in its place the one of the attempt, which is also aborted by limits of time.
   */
  readonly passSignal?: ((args: Parameters<Fn>, signal: AbortSignal) => Readonly<Parameters<Fn>>) | undefined;
}

/** One call of a wrapped function. `this` and the arguments reach the function as they are, but for the signal. */
export class WrappedCall {
  /** Where the caller's signal is among the arguments; -1 when there is none. */
  readonly #at: number;
  readonly #self: unknown;
  readonly #args: unknown[];
  readonly #passSignal: ((args: never, signal: AbortSignal) => readonly unknown[]) | undefined;

  constructor(self: unknown, args: unknown[], passSignal: ((args: never, signal: AbortSignal) => readonly unknown[]) | undefined) {
    this.#self = self;
    this.#args = args;
    this.#passSignal = passSignal;
    this.#at = placeOfSignal(args);
  }

  /** With the caller's signal, when there is one among the arguments. */
  get options(): ExecuteOptions | undefined {
    return this.#at < 0 ? undefined : { signal: signalOf(this.#args[this.#at]) };
  }

  run(fn: AnyFunction, context: CallContext): unknown {
    return Reflect.apply(fn, this.#self, this.#argumentsFor(context));
  }

  #argumentsFor(context: CallContext): unknown[] {
    const args = this.#at < 0 ? this.#args : this.#args.with(this.#at, replaceSignal(this.#args[this.#at], context));
    return this.#passSignal ? [...this.#passSignal(args as never, context.signal)] : args;
  }
}

/** The function under a policy. */
export function wrapFunction<Fn extends AnyFunction>(execute: Execute, fn: Fn, { passSignal }: WrapOptions<Fn>): Wrapped<Fn> {
  return named(fn, function wrapped(this: unknown, ...args: unknown[]): Promise<unknown> {
    const call = new WrappedCall(this, args, passSignal);
    return execute((context) => call.run(fn, context), call.options);
  });
}

/** As the function that it stands for, in stack traces and as the name of its policy. */
export function named<Fn extends AnyFunction>(fn: Fn, wrapped: (...args: unknown[]) => Promise<unknown>): Wrapped<Fn> {
  Object.defineProperty(wrapped, 'name', { value: fn.name, configurable: true });
  return wrapped as unknown as Wrapped<Fn>;
}

function placeOfSignal(args: readonly unknown[]): number {
  for (let at = 0; at < args.length; at++) if (signalOf(args[at]) !== undefined) return at;
  return -1;
}

function signalOf(argument: unknown): AbortSignal | undefined {
  if (typeof argument !== 'object' || argument === null) return undefined;
  if (argument instanceof AbortSignal) return argument;
  const { signal } = argument as { signal?: unknown };
  return signal instanceof AbortSignal ? signal : undefined;
}

/** A `Request` and the like is handed on as it is: it cannot be copied and changed without knowing it. */
function replaceSignal(argument: unknown, context: CallContext): unknown {
  if (argument instanceof AbortSignal) return context.signal;
  const prototype: unknown = Object.getPrototypeOf(argument);
  return prototype === Object.prototype || prototype === null ? { ...(argument as object), signal: context.signal } : argument;
}
