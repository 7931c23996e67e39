import { HoldfastError } from '../errors/index.ts';
import { systemClock, systemRandom, type Timer } from '../time/index.ts';
import { dependencyHealthChanged } from './events.ts';
import { healthDefaults, maxAbandonedChecks, type HealthCheckOptions, type HealthRegistryOptions } from './options.ts';
import {
  worseOf,
  type CheckResult,
  type ComponentHealth,
  type HealthSnapshot,
  type HealthStatus,
  type WatchedMember,
  type WatchedState,
} from './snapshot.ts';

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
  /** Begins to check at once. Throws `configuration_invalid` for numbers that make no sense; a name can be taken once. */
  register(name: string, check: HealthCheckOptions): void;
  /** Shows something of the process itself, asked for at each snapshot, so `read` MUST be cheap. Only `hold` and critical checks make unready. */
  watch(name: string, read: () => WatchedState): void;
  /** The same of several whose names come and go. For operators only: readiness does not show them. */
  watchAll(read: () => readonly WatchedMember[]): void;
  /**
   * Says that real use of the dependency has just failed for want of an answer: its status flips now, and a check follows
   * at once, which sets it right again if the failure was a single one. Cheap enough to call on every such failure.
   */
  markFailed(name: string): void;
  /** Not ready until what it returns is called, for a reason of the process's own: `starting`, `stopping`. Shown as the component `process`. */
  hold(message: string): () => void;
  /** Everything as last seen, in the words for operators. Never waits for anything. */
  snapshot(): HealthSnapshot;
  /** The same of critical dependencies and what is watched, in the words for everybody: the answer to whether work should be sent here. */
  readiness(): HealthSnapshot;
  /** The same as a breaker would tell it. */
  observe(): readonly ObservedDependency[];
  /** Called after each change of a dependency or of what holds. Returns the function that ends it. Listeners MUST NOT throw. */
  onChange(listener: () => void): () => void;
  close(): void;
}

/** In plain words. Fixed ones: readiness is public, and the text of a driver's exception names hosts and users. */
const failureMessages: Readonly<Record<DependencyFailure, string>> = Object.freeze({
  check_failed: 'fails',
  check_timeout: 'does not answer in time',
  failed_in_use: 'failed in use',
});

interface Dependency {
  readonly name: string;
  readonly options: HealthCheckOptions;
  failing: boolean;
  changedAt: number | undefined;
  nextCheckAt: number;
  failures: number;
  readonly totals: { succeeded: number; failed: number; lost: number };
  lastFailure: { readonly at: number; readonly code: DependencyFailure } | undefined;
  /** As shown: `unhealthy` only of what is critical. */
  status: HealthStatus;
  message: string;
  detail: string | undefined;
  measurement: CheckResult['measurement'];
  responseTimeMs: number | null;
  checkedAt: number | undefined;
  timer: Timer | undefined;
  running: AbortController | undefined;
  /** Checks that were given up and have not ended. */
  abandoned: number;
}

/**
 * Knows how everything fares that a process depends on. Checks run apart from requests and their results are kept, so that a probe is
 * answered at once whatever hangs.
 */
export function createHealthRegistry(given: HealthRegistryOptions = {}): HealthRegistry {
  const { clock = systemClock, random = systemRandom, ...numbers } = given;
  const options = { ...healthDefaults, ...numbers };
  checkNumbers('the registry', options);
  const dependencies = new Map<string, Dependency>();
  const watched = new Map<string, () => WatchedState>();
  const watchedSets: (() => readonly WatchedMember[])[] = [];
  const holds = new Set<{ readonly message: string }>();
  const listeners = new Set<() => void>();
  let closed = false;

  const changed = (): void => {
    for (const listener of listeners) listener();
  };

  function check(dependency: Dependency): void {
    if (closed || dependency.running) return;
    dependency.timer?.cancel();
    if (dependency.abandoned >= maxAbandonedChecks) return wait(dependency, true);
    const { options: own } = dependency;
    const running = (dependency.running = new AbortController());
    const startedMs = clock.monotonic();
    let givenUp = false;
    const settle = (failure: DependencyFailure | undefined, result?: CheckResult) => {
      // Late answers of a check that was given up say nothing about now.
      if (givenUp) return void (dependency.abandoned -= 1);
      limit.cancel();
      dependency.running = undefined;
      dependency.responseTimeMs = Math.round((clock.monotonic() - startedMs) * 1_000) / 1_000;
      set(dependency, failure, result);
      if (!closed) wait(dependency, dependency.failing);
    };
    const limit = clock.setTimeout(() => {
      settle('check_timeout');
      givenUp = true;
      dependency.abandoned += 1;
      running.abort();
    }, own.timeoutMs ?? options.timeoutMs);
    // Through `then`, so that a check that throws at once is a failed one too.
    Promise.resolve()
      .then(() => own.check(running.signal))
      .then(
        (result) => settle(result?.status === 'unhealthy' ? 'check_failed' : undefined, result ?? undefined),
        () => settle('check_failed'),
      );
  }

  function wait(dependency: Dependency, soon: boolean): void {
    const { options: own } = dependency;
    const wholeMs = soon ? (own.retryMs ?? options.retryMs) : (own.intervalMs ?? options.intervalMs);
    const waitMs = wholeMs * (1 - options.jitter * random.next());
    dependency.nextCheckAt = clock.monotonic() + waitMs;
    dependency.timer = clock.setTimeout(() => check(dependency), waitMs);
  }

  function set(dependency: Dependency, failure: DependencyFailure | undefined, result?: CheckResult): void {
    const { totals, name } = dependency;
    const { critical } = dependency.options;
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
    const first = dependency.checkedAt === undefined;
    const before = dependency.status;
    dependency.failing = failing;
    dependency.status = failing ? (critical ? 'unhealthy' : 'degraded') : (result?.status ?? 'healthy');
    dependency.message = result?.message ?? (failing ? failureMessages[failure] : 'answers');
    dependency.detail = result?.detail;
    dependency.measurement = result?.measurement;
    dependency.checkedAt = clock.now();
    if (before === dependency.status && !first) return;
    changed();
    if (first && dependency.status === 'healthy') return;
    dependencyHealthChanged.publish({ name, critical, status: dependency.status, before, message: messageOf(dependency, true) });
  }

  function show(forOperators: boolean): HealthSnapshot {
    const at = clock.now();
    const components: ComponentHealth[] = [];
    for (const { message } of holds) components.push(ofProcess(message, at));
    for (const dependency of dependencies.values())
      if (forOperators || dependency.options.critical) components.push(ofDependency(dependency, forOperators));
    for (const [name, read] of watched) components.push(ofWatched({ name, ...read() }, forOperators, at));
    if (forOperators) for (const read of watchedSets) for (const member of read()) components.push(ofWatched(member, forOperators, at));
    let status: HealthStatus = 'healthy';
    for (const component of components) status = worseOf(status, component.status);
    return { status, at, components };
  }

  const requireFree = (name: string): void => {
    if (dependencies.has(name) || watched.has(name))
      throw new HoldfastError('internal_error', { detail: `a dependency named ${name} is registered already` });
  };

  return {
    register(name, checkOptions) {
      requireFree(name);
      checkNumbers(name, checkOptions);
      const dependency: Dependency = {
        name,
        options: checkOptions,
        failing: true,
        changedAt: undefined,
        nextCheckAt: clock.monotonic(),
        failures: 0,
        totals: { succeeded: 0, failed: 0, lost: 0 },
        lastFailure: undefined,
        // Until it has answered once it is not known to work.
        status: checkOptions.critical ? 'unhealthy' : 'degraded',
        message: 'not checked yet',
        detail: undefined,
        measurement: undefined,
        responseTimeMs: null,
        checkedAt: undefined,
        timer: undefined,
        running: undefined,
        abandoned: 0,
      };
      dependencies.set(name, dependency);
      changed();
      check(dependency);
    },
    watch(name, read) {
      requireFree(name);
      watched.set(name, read);
    },
    watchAll: (read) => void watchedSets.push(read),
    markFailed(name) {
      const dependency = dependencies.get(name);
      if (!dependency || closed) return;
      set(dependency, 'failed_in_use');
      // A check under way may have begun before the failure; its answer counts all the same, since it comes later.
      check(dependency);
    },
    hold(message) {
      const held = { message };
      holds.add(held);
      changed();
      return () => {
        if (holds.delete(held)) changed();
      };
    },
    snapshot: () => show(true),
    readiness: () => show(false),
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
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      for (const dependency of dependencies.values()) {
        dependency.timer?.cancel();
        dependency.running?.abort();
      }
    },
  };
}

function messageOf({ message, detail }: { readonly message: string; readonly detail?: string | undefined }, forOperators: boolean): string {
  return forOperators ? (detail ?? message) : message;
}

function ofDependency(dependency: Dependency, forOperators: boolean): ComponentHealth {
  const { name, status, responseTimeMs, checkedAt, measurement, options } = dependency;
  return {
    name,
    status,
    message: messageOf(dependency, forOperators),
    responseTimeMs,
    componentType: options.componentType ?? 'component',
    checkedAt,
    measurement,
  };
}

function ofWatched(member: WatchedMember, forOperators: boolean, at: number): ComponentHealth {
  return {
    name: member.name,
    status: member.status === 'unhealthy' ? 'degraded' : member.status,
    message: messageOf(member, forOperators),
    responseTimeMs: member.responseTimeMs ?? null,
    componentType: 'component',
    checkedAt: at,
    measurement: member.measurement,
  };
}

function ofProcess(message: string, at: number): ComponentHealth {
  return {
    name: 'process',
    status: 'unhealthy',
    message,
    responseTimeMs: null,
    componentType: 'system',
    checkedAt: at,
    measurement: undefined,
  };
}

/** A check every 0 ms, or of a name that was misspelt, would show itself in production only. */
function checkNumbers(whose: string, options: HealthRegistryOptions | HealthCheckOptions): void {
  const faults: string[] = [];
  for (const name of ['intervalMs', 'retryMs', 'timeoutMs'] as const) {
    const value = options[name];
    if (value !== undefined && !(value >= 1 && value <= 86_400_000)) faults.push(`${name} is ${value}, not 1 to 86,400,000`);
  }
  const jitter = 'jitter' in options ? options.jitter : undefined;
  if (jitter !== undefined && !(jitter >= 0 && jitter <= 1)) faults.push(`jitter is ${jitter}, not 0 to 1`);
  if (faults.length > 0) throw new HoldfastError('configuration_invalid', { detail: `health of ${whose}: ${faults.join('; ')}` });
}
