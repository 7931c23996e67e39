import type { CanonicalValue } from '@holdfast/kit/audit';
import { HoldfastError, isHoldfastError, toHoldfastError } from '@holdfast/kit/errors';
import { sleep, type Clock } from '@holdfast/kit/time';
import { operatorAtTerminal, type AuditTrail, type Initiator, type NewAuditEvent } from '../../platform/audit/index.ts';
import type { ConfigurationFault, ConfigurationPort, NameChanges } from './configuration-port.ts';
import { configurationRejected, configurationReloaded, type ReloadRequester } from './events.ts';
import type { PreparedReload, Reloadable } from './reloadable.ts';

export interface ConfigurationServiceOptions<Configuration> {
  readonly atStart: Configuration;
  readonly port: ConfigurationPort<Configuration>;
  /** Everything that takes a new configuration while it serves. Committed in this order. */
  readonly parts: readonly Reloadable<Configuration>[];
  readonly audit: Pick<AuditTrail, 'record'>;
  readonly clock: Clock;
}

export interface ReloadReport {
  readonly result: 'applied' | 'unchanged';
  readonly changes: Readonly<Record<string, NameChanges>>;
  readonly restartRequired: readonly string[];
  readonly digest: string;
  /** Milliseconds since the Unix epoch. */
  readonly reloadedAt: number;
}

export interface ConfigurationState {
  readonly file: string | undefined;
  readonly digest: string;
  /** When what is in force was put there, in milliseconds since the Unix epoch. */
  readonly inForceSince: number;
  /** Of the last reading. */
  readonly restartRequired: readonly string[];
  /** Of the last reading without a fault, the one at start included; in milliseconds since the Unix epoch. */
  readonly lastSuccessAt: number;
}

export interface ConfigurationService {
  readonly state: ConfigurationState;
  /**
   * Reads the configuration and puts it in force, whole or not at all. One at a time: whoever asks while one runs gets the next
   * one, together with all others who wait. Rejects with `configuration_rejected` and all faults; with `draining` after `close`.
   */
  reload(by: ReloadRequester): Promise<ReloadReport>;
  /** Refuses reloads from now on; resolves when none is running. */
  close(): Promise<void>;
}

/**
 * How long a reading waits before it reads again. Files are read until two readings in a row agree, since a file that is just
 * being written is often valid at half its length: every model below the middle would be gone.
 */
const quietMs = 100;
const maxReadings = 20;

type Reading<Configuration> =
  | { readonly configuration: Configuration; readonly faults?: never }
  | { readonly faults: readonly ConfigurationFault[] };

export function createConfigurationService<Configuration>(options: ConfigurationServiceOptions<Configuration>): ConfigurationService {
  const { atStart, port, parts, audit, clock } = options;
  let inForce = atStart;
  let state: ConfigurationState = {
    file: port.fileOf(atStart),
    digest: port.digest(atStart),
    inForceSince: clock.now(),
    restartRequired: [],
    lastSuccessAt: clock.now(),
  };
  let running: Promise<ReloadReport> | undefined;
  let next: Promise<ReloadReport> | undefined;
  let asking: ReloadRequester[] = [];
  const closed = new AbortController();

  function reload(by: ReloadRequester): Promise<ReloadReport> {
    if (closed.signal.aborted) return Promise.reject(stopping());
    asking.push(by);
    return (next ??= runNext());
  }

  async function runNext(): Promise<ReloadReport> {
    await running?.catch(() => {});
    const by = asking;
    asking = [];
    next = undefined;
    running = run(by);
    return running;
  }

  async function run(by: readonly ReloadRequester[]): Promise<ReloadReport> {
    const beganAt = clock.monotonic();
    const reading = await readSettled();
    if (closed.signal.aborted) throw stopping();
    if (reading.faults) throw await rejected(by, reading.faults);
    const { configuration } = reading;
    const changes = port.compare(inForce, configuration);
    const changed = Object.values(changes).some(
      ({ added, removed, changed: altered }) => added.length + removed.length + altered.length > 0,
    );
    const { prepared, faults } = changed ? prepareAll(configuration) : { prepared: [], faults: [] };
    if (faults.length > 0) {
      for (const each of prepared) each.discard();
      throw await rejected(by, faults);
    }
    inForce = configuration;
    commitAll(prepared);
    const now = clock.now();
    state = {
      file: port.fileOf(configuration),
      digest: port.digest(configuration),
      inForceSince: changed ? now : state.inForceSince,
      restartRequired: port.restartRequired(atStart, configuration),
      lastSuccessAt: now,
    };
    const { digest, restartRequired } = state;
    const result = changed ? 'applied' : 'unchanged';
    configurationReloaded.publish({ by: announced(by), result, changes, restartRequired, digest, durationMs: clock.monotonic() - beganAt });
    await tell(by, 'configuration.reloaded', { result, digest, changed: countsOf(changes), restart_required: [...restartRequired] });
    return { result, changes, restartRequired, digest, reloadedAt: now };
  }

  async function rejected(by: readonly ReloadRequester[], faults: readonly ConfigurationFault[]): Promise<HoldfastError> {
    configurationRejected.publish({ by: announced(by), faults });
    await tell(by, 'configuration.rejected', { faults: faults.length });
    return new HoldfastError('configuration_rejected', { details: { faults } });
  }

  /** One event for each who asked. */
  async function tell(
    by: readonly ReloadRequester[],
    type: 'configuration.reloaded' | 'configuration.rejected',
    details: NewAuditEvent['details'],
  ): Promise<void> {
    const outcome = type === 'configuration.rejected' ? 'failure' : 'success';
    const told = { type, outcome, organizationId: null, details: { ...details, requests: by.length } } as const;
    await Promise.all(by.map((requester) => audit.record({ ...told, by: initiatorOf(requester) })));
  }

  async function readSettled(): Promise<Reading<Configuration>> {
    let before = read();
    for (let readings = 1; readings < maxReadings; readings++) {
      await sleep(clock, quietMs, closed.signal).catch(() => {});
      if (closed.signal.aborted) return before;
      const again = read();
      if (isSame(before, again)) return again;
      before = again;
    }
    return {
      faults: [
        {
          where: state.file ?? 'configuration',
          problem: `it said something else each of the ${maxReadings} times that it was read.`,
          hint: 'Write it beside the old one and rename it, so that it changes at once.',
        },
      ],
    };
  }

  function read(): Reading<Configuration> {
    try {
      return { configuration: port.read(inForce) };
    } catch (error) {
      return { faults: faultsOf(error) };
    }
  }

  function isSame(a: Reading<Configuration>, b: Reading<Configuration>): boolean {
    if (a.faults || b.faults) return JSON.stringify(a.faults) === JSON.stringify(b.faults);
    return port.same(a.configuration, b.configuration);
  }

  /** Of all parts, so that all faults are told at once. */
  function prepareAll(configuration: Configuration) {
    const prepared: PreparedReload[] = [];
    const faults: ConfigurationFault[] = [];
    for (const part of parts) {
      try {
        prepared.push(part.prepare(configuration));
      } catch (error) {
        faults.push(...faultsOf(error));
      }
    }
    return { prepared, faults };
  }

  /** In one turn of the event loop: no call sees some parts of the one configuration and some of the other. */
  function commitAll(prepared: readonly PreparedReload[]): void {
    const failures: unknown[] = [];
    for (const each of prepared) {
      try {
        each.commit();
      } catch (error) {
        // A defect of ours. The others still go: nearly whole is better than half.
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new HoldfastError('internal_error', { detail: 'a part did not take its configuration', cause: failures[0] });
  }

  return {
    get state() {
      return state;
    },
    reload,
    async close() {
      closed.abort();
      await next?.catch(() => {});
      await running?.catch(() => {});
    },
  };
}

function stopping(): HoldfastError {
  return new HoldfastError('draining', { detail: 'the server is stopping' });
}

/** Listeners log it whole: not from where somebody asked. */
function announced(by: readonly ReloadRequester[]): readonly ReloadRequester[] {
  return by.map((requester) => {
    if (requester.kind === 'signal') return requester;
    const { initiator: _initiator, ...known } = requester;
    return known;
  });
}

/** Whoever may send a signal to the process has the machine. */
function initiatorOf(requester: ReloadRequester): Initiator {
  if (requester.kind === 'signal') return operatorAtTerminal;
  return requester.initiator ?? { actor: { type: 'key', id: requester.keyId } };
}

/** How many names, not which: the log keeps for ever what it is told. */
function countsOf(changes: Readonly<Record<string, NameChanges>>): Record<string, CanonicalValue> {
  const counts: Record<string, CanonicalValue> = {};
  for (const [section, { added, removed, changed }] of Object.entries(changes)) {
    if (added.length + removed.length + changed.length === 0) continue;
    counts[section] = { added: added.length, removed: removed.length, changed: changed.length };
  }
  return counts;
}

function faultsOf(thrown: unknown): readonly ConfigurationFault[] {
  if (isHoldfastError(thrown) && thrown.code === 'configuration_invalid') {
    const { faults } = (thrown.details ?? {}) as { readonly faults?: readonly ConfigurationFault[] };
    if (faults !== undefined && faults.length > 0) return faults;
  }
  return [{ where: 'configuration', problem: toHoldfastError(thrown).message }];
}
