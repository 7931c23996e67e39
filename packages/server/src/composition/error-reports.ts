import { createHmac } from 'node:crypto';
import { HoldfastError, type ErrorCategory } from '@holdfast/kit/errors';
import type { EventChannel } from '@holdfast/kit/events';
import { attemptFailed } from '@holdfast/kit/llm';
import { breakerChanged, overloadBegan, overloadEnded } from '@holdfast/kit/resilience';
import type { Metrics } from '@holdfast/kit/telemetry';
import type { Crumb, ErrorContext, ErrorReporter } from '@holdfast/kit/telemetry/sentry';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { configurationReloaded } from '../features/configuration/index.ts';
import type { KeyRing } from '../platform/keyring/index.ts';
import { listenerStateChanged, poolExhausted } from '../platform/postgres/index.ts';
import { redisStateChanged } from '../platform/redis/index.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface ErrorReportsOptions {
  readonly configuration: Configuration;
  readonly version: string;
  readonly clock: Clock;
  readonly metrics: Metrics | undefined;
}

/** Reports of errors to Sentry, while there is a DSN. */
export interface ErrorReports {
  report(error: unknown, about: ErrorContext): void;
  /** From here on reports name a user, by a pseudonym. */
  open(keyRing: KeyRing): void;
  /** Stops listening, and sends what is left, in 2 s at most. */
  close(): Promise<void>;
}

/** Undefined when the configuration has no DSN. Throws `configuration_invalid` when the library is not there. */
export async function openErrorReports({ configuration, version, clock, metrics }: ErrorReportsOptions): Promise<ErrorReports | undefined> {
  const { dsn, environment, release, sampleRate, categories } = configuration.sentry;
  if (dsn === undefined) return undefined;
  const { createSentryReporter } = await loadReporter();
  const reports = metrics?.addCounter(serverMetrics.errorReports);
  let key: Buffer | undefined;
  const reporter = createSentryReporter({
    dsn: dsn.reveal(),
    environment,
    release: release ?? `holdfast@${version}`,
    sampleRate,
    categories: categories as readonly ErrorCategory[],
    pseudonymOf: (id) => key && createHmac('sha256', key).update(id).digest('hex').slice(0, 16),
    onReport: (outcome) => reports?.add(1, { outcome }),
    clock,
  });
  const stops = [reporter.listen(), ...gatherCrumbs(reporter)];
  return {
    report: (error, about) => reporter.report(error, about),
    open: (keyRing) => void (key = keyRing.derive('users in error reports')),
    async close() {
      for (const stop of stops) stop();
      await reporter.close();
    },
  };
}

async function loadReporter() {
  try {
    return await import('@holdfast/kit/telemetry/sentry');
  } catch (cause) {
    throw new HoldfastError('configuration_invalid', {
      detail: 'SENTRY_DSN is set, and the library that it needs is not installed: npm install @sentry/core@11',
      cause,
    });
  }
}

/** What an error is often the consequence of. No words of users are in any of these. */
function gatherCrumbs(reporter: Pick<ErrorReporter, 'addCrumb'>): (() => void)[] {
  const on = <Message extends object>(channel: EventChannel<Message>, toCrumb: (message: Message) => Crumb): (() => void) =>
    channel.subscribe((message) => reporter.addCrumb(toCrumb(message)));
  return [
    on(attemptFailed, ({ requestId, target, error: { code } }) => ({
      category: 'attempt',
      message: `an attempt at ${target} failed`,
      level: 'warning',
      data: { code },
      requestId,
    })),
    on(breakerChanged, ({ name, from, to, reason }) => ({
      category: 'breaker',
      message: `${name}: ${from} to ${to}`,
      level: to === 'open' ? 'warning' : 'info',
      data: { reason },
    })),
    on(redisStateChanged, ({ connected }) => ({
      category: 'redis',
      message: connected ? 'connected' : 'lost',
      level: connected ? 'info' : 'warning',
    })),
    on(listenerStateChanged, ({ connected }) => ({
      category: 'database',
      message: connected ? 'listens' : 'does not listen',
      level: connected ? 'info' : 'warning',
    })),
    on(poolExhausted, ({ role, waiting }) => ({
      category: 'database',
      message: `pool ${role} is busy`,
      level: 'warning',
      data: { waiting },
    })),
    on(overloadBegan, ({ reason }) => ({ category: 'overload', message: 'began', level: 'warning', data: { reason } })),
    on(overloadEnded, ({ reason }) => ({ category: 'overload', message: 'ended', level: 'info', data: { reason } })),
    on(configurationReloaded, ({ result, digest }) => ({
      category: 'configuration',
      message: `reloaded: ${result}`,
      level: 'info',
      data: { digest },
    })),
  ];
}
