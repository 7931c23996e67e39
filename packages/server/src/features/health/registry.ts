import type { DependencyHealth, HealthReport, HealthStatus } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock, Timer } from '@holdfast/kit/time';

export interface DependencyOptions {
  /** Without it the server cannot do its work: readiness follows it. Others only degrade. */
  readonly critical: boolean;
  /** Resolves when the dependency answers, rejects when not. MUST stop when the signal is aborted; may hang, it is not waited for. */
  check(signal: AbortSignal): Promise<void>;
  /** Between two checks of a dependency that works. Default: the registry's. */
  readonly intervalMs?: number;
}

export interface HealthRegistryOptions {
  readonly clock: Clock;
  /** Between two checks of a dependency that works. Default 60,000. */
  readonly intervalMs?: number;
  /** Between two checks of one that does not: how soon its recovery is seen. Default 1,000. */
  readonly retryMs?: number;
  /** A check that takes longer counts as failed. Default 1,000. */
  readonly timeoutMs?: number;
}

/** How a dependency fares. Real use and checks count alike; nothing is kept from it: those who use it have a patience of their own. */
export interface ObservedDependency {
  readonly name: string;
  /** Also before it has answered for the first time. */
  readonly failing: boolean;
  /** It is being asked at this moment. */
  readonly checking: boolean;
  /** When it last failed after it had worked, or worked after it had failed; Unix milliseconds. */
  readonly changedAt: number | undefined;
  readonly nextCheckInMs: number;
  /** In a row. */
  readonly failures: number;
  readonly totals: { readonly succeeded: number; readonly failed: number; readonly lost: number };
  readonly lastFailure: { readonly at: number; readonly code: DependencyFailure } | undefined;
}

export type DependencyFailure = 'check_failed' | 'check_timeout' | 'failed_in_use';

export interface HealthRegistry {
  /** Begins to check at once. A name can be taken once. */
  register(name: string, dependency: DependencyOptions): void;
  /** Shows something of the server itself, asked for at each report. It never makes the server unready. */
  watch(name: string, read: () => WatchedState): void;
  /**
   * Says that real use of the dependency has just failed for want of an answer: its status flips now, and a check follows
   * at once, which sets it right again if the failure was a single one. Cheap enough to call on every such failure.
   */
  markFailed(name: string): void;
  /** All dependencies as last seen. Never waits for one. */
  report(): HealthReport;
  /** As `report`, of the critical dependencies and what is watched. */
  readiness(): HealthReport;
  /** The same as a breaker would tell it. */
  observe(): readonly ObservedDependency[];
  close(): void;
}

export interface WatchedState {
  readonly status: 'healthy' | 'degraded';
  /** Fixed words: the report is public. */
  readonly message: string;
}

export const healthDefaults = Object.freeze({ intervalMs: 60_000, retryMs: 1_000, timeoutMs: 1_000 });

/** In plain words. Fixed ones: readiness is public, and the text of a driver's exception names hosts and users. */
const failureMessages: Readonly<Record<DependencyFailure, string>> = Object.freeze({
  check_failed: 'fails',
  check_timeout: 'does not answer in time',
  failed_in_use: 'failed in use',
});

interface Dependency {
  readonly name: string;
  readonly options: DependencyOptions;
  failing: boolean;
  changedAt: number | undefined;
  nextCheckAt: number;
  failures: number;
  readonly totals: { succeeded: number; failed: number; lost: number };
  lastFailure: { readonly at: number; readonly code: DependencyFailure } | undefined;
  status: HealthStatus;
  message: string;
  responseTimeMs: number | null;
  timer: Timer | undefined;
  running: AbortController | undefined;
}

/**
 * Checks run apart from requests, so that a health route answers at once whatever hangs.
 */
export function createHealthRegistry(given: HealthRegistryOptions): HealthRegistry {
  const { clock, ...options } = { ...healthDefaults, ...given };
  const dependencies = new Map<string, Dependency>();
  const watched = new Map<string, () => WatchedState>();
  let closed = false;

  function check(dependency: Dependency): void {
    if (closed || dependency.running) return;
    dependency.timer?.cancel();
    const running = (dependency.running = new AbortController());
    const startedMs = clock.monotonic();
    const settle = (failure: DependencyFailure | undefined) => {
      // Late answers of a check that was given up say nothing about now.
      if (dependency.running !== running) return;
      limit.cancel();
      dependency.running = undefined;
      dependency.responseTimeMs = Math.round((clock.monotonic() - startedMs) * 1_000) / 1_000;
      set(dependency, failure);
      if (closed) return;
      const waitMs = failure === undefined ? (dependency.options.intervalMs ?? options.intervalMs) : options.retryMs;
      dependency.nextCheckAt = clock.monotonic() + waitMs;
      dependency.timer = clock.setTimeout(() => check(dependency), waitMs);
    };
    const limit = clock.setTimeout(() => {
      settle('check_timeout');
      running.abort();
    }, options.timeoutMs);
    // Through `then`, so that a check that throws at once is a failed one too.
    Promise.resolve()
      .then(() => dependency.options.check(running.signal))
      .then(
        () => settle(undefined),
        () => settle('check_failed'),
      );
  }

  function set(dependency: Dependency, failure: DependencyFailure | undefined): void {
    const { totals } = dependency;
    const failing = failure !== undefined;
    if (failing) {
      dependency.lastFailure = { at: clock.now(), code: failure };
      dependency.failures += 1;
      totals.failed += 1;
    } else {
      dependency.failures = 0;
      totals.succeeded += 1;
    }
    if (failing !== dependency.failing || (failing && dependency.changedAt === undefined)) {
      // That it answers for the first time is no change.
      if (failing || dependency.changedAt !== undefined) dependency.changedAt = clock.now();
      if (failing) totals.lost += 1;
    }
    dependency.failing = failing;
    dependency.status = failing ? (dependency.options.critical ? 'unhealthy' : 'degraded') : 'healthy';
    dependency.message = failing ? failureMessages[failure] : 'answers';
  }

  function reportOf(chosen: readonly Dependency[]): HealthReport {
    let status: HealthStatus = 'healthy';
    for (const dependency of chosen) {
      if (dependency.status === 'unhealthy') status = 'unhealthy';
      else if (dependency.status === 'degraded' && status === 'healthy') status = 'degraded';
    }
    const shown = chosen.map(toWire);
    for (const [name, read] of watched) {
      const state = read();
      if (state.status === 'degraded' && status === 'healthy') status = 'degraded';
      shown.push({ name, ...state, response_time_ms: null });
    }
    return { status, timestamp: new Date(clock.now()).toISOString(), dependencies: shown };
  }

  return {
    register(name, dependencyOptions) {
      if (dependencies.has(name) || watched.has(name)) throw nameTaken(name);
      const dependency: Dependency = {
        name,
        options: dependencyOptions,
        failing: true,
        changedAt: undefined,
        nextCheckAt: clock.monotonic(),
        failures: 0,
        totals: { succeeded: 0, failed: 0, lost: 0 },
        lastFailure: undefined,
        // Until it has answered once it is not known to work.
        status: dependencyOptions.critical ? 'unhealthy' : 'degraded',
        message: 'not checked yet',
        responseTimeMs: null,
        timer: undefined,
        running: undefined,
      };
      dependencies.set(name, dependency);
      check(dependency);
    },
    watch(name, read) {
      if (dependencies.has(name) || watched.has(name)) throw nameTaken(name);
      watched.set(name, read);
    },
    markFailed(name) {
      const dependency = dependencies.get(name);
      if (!dependency || closed) return;
      set(dependency, 'failed_in_use');
      // A check under way may have begun before the failure; its answer counts all the same, since it comes later.
      check(dependency);
    },
    report: () => reportOf([...dependencies.values()]),
    readiness: () => reportOf([...dependencies.values()].filter(({ options: { critical } }) => critical)),
    observe: () =>
      [...dependencies.values()].map(({ name, failing, running, changedAt, nextCheckAt, failures, totals, lastFailure }) => ({
        name,
        failing,
        checking: running !== undefined,
        changedAt,
        nextCheckInMs: Math.max(0, nextCheckAt - clock.monotonic()),
        failures,
        totals: { ...totals },
        lastFailure,
      })),
    close() {
      closed = true;
      for (const dependency of dependencies.values()) {
        dependency.timer?.cancel();
        dependency.running?.abort();
      }
    },
  };
}

function nameTaken(name: string): HoldfastError {
  return new HoldfastError('internal_error', { detail: `a dependency named ${name} is registered already` });
}

function toWire({ name, status, message, responseTimeMs }: Dependency): DependencyHealth {
  return { name, status, message, response_time_ms: responseTimeMs };
}
