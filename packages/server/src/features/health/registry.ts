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
  close(): void;
}

export interface WatchedState {
  readonly status: 'healthy' | 'degraded';
  /** Fixed words: the report is public. */
  readonly message: string;
}

export const healthDefaults = Object.freeze({ intervalMs: 60_000, retryMs: 1_000, timeoutMs: 1_000 });

interface Dependency {
  readonly name: string;
  readonly options: DependencyOptions;
  status: HealthStatus;
  message: string;
  responseTimeMs: number | null;
  timer: Timer | undefined;
  running: AbortController | undefined;
}

/**
 * Checks run apart from requests, so that a health route answers at once whatever hangs. Messages are fixed words:
 * readiness is public, and the text of a driver's exception names hosts and users.
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
    const settle = (failure: string | undefined) => {
      // Late answers of a check that was given up say nothing about now.
      if (dependency.running !== running) return;
      limit.cancel();
      dependency.running = undefined;
      dependency.responseTimeMs = Math.round((clock.monotonic() - startedMs) * 1_000) / 1_000;
      set(dependency, failure);
      if (closed) return;
      const waitMs = failure === undefined ? (dependency.options.intervalMs ?? options.intervalMs) : options.retryMs;
      dependency.timer = clock.setTimeout(() => check(dependency), waitMs);
    };
    const limit = clock.setTimeout(() => {
      settle('does not answer in time');
      running.abort();
    }, options.timeoutMs);
    // Through `then`, so that a check that throws at once is a failed one too.
    Promise.resolve()
      .then(() => dependency.options.check(running.signal))
      .then(
        () => settle(undefined),
        () => settle('fails'),
      );
  }

  function set(dependency: Dependency, failure: string | undefined): void {
    dependency.status = failure === undefined ? 'healthy' : dependency.options.critical ? 'unhealthy' : 'degraded';
    dependency.message = failure ?? 'answers';
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
      set(dependency, 'failed in use');
      // A check under way may have begun before the failure; its answer counts all the same, since it comes later.
      check(dependency);
    },
    report: () => reportOf([...dependencies.values()]),
    readiness: () => reportOf([...dependencies.values()].filter(({ options: { critical } }) => critical)),
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
