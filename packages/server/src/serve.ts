import process from 'node:process';
import { handOnAnnouncements } from '@holdfast/kit/events';

import { createAccessLog, createLogger, createMetrics, type Log, type RotationOptions } from '@holdfast/kit/telemetry';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { startApp, type App } from './app.ts';
import {
  createClientNames,
  createKnownModels,
  logAnnouncements,
  openErrorReports,
  openTracing,
  releaseMemoryWhenIdle,
  reloadOnHangup,
} from './composition/index.ts';
import type { Configuration, ConfigurationSource } from './config/index.ts';
import { printWelcome } from './entry/cli/index.ts';
import type { Reloadable } from './features/configuration/index.ts';
import { createLogLevelControl, type LogLevelControl } from './features/logging/index.ts';
import { installProcessGuards, logRequests } from './entry/http/index.ts';
import { version } from './version.ts';

/** Serves until a signal or a fault ends it; resolves with the exit code. Throws what kept it from starting. */
export async function serve(source: ConfigurationSource, runtimeDir: string | undefined): Promise<number> {
  const configuration = source.atStart;
  const clock = systemClock;
  const end = createEnding();
  const hangups = reloadOnHangup({ onTerminalClosed: () => end.now(0) });
  const log = await createLogger({
    clock,
    level: configuration.log.level,
    json: configuration.log.file !== undefined || (configuration.log.json ?? !process.stdout.isTTY),
    // In place of standard output, not beside it: whoever writes a file does not want to pay for the line twice.
    ...(configuration.log.file !== undefined && {
      file: configuration.log.file,
      rotation: rotationOf(configuration),
      sink: { write() {} },
    }),
  });
  const { logger } = log;
  hangups.logTo(log);
  const known = createKnownModels(configuration);
  const metrics = configuration.metrics.enabled
    ? createMetrics({
        isKnownModel: (name) => known.has(name),
        isKnownBreaker: (name) => known.has(name),
        maxOrganizations: configuration.metrics.maxOrganizations,
      })
    : undefined;
  const logLevel = createLogLevelControl(log, clock);
  const clientNames = createClientNames({ configuration, clock });
  const stopListening = [logAnnouncements(log, clock, clientNames), logRequests(requestLog(log)), metrics?.listen() ?? (() => {})];

  const errorReports = await openErrorReports({ configuration, version, clock, metrics });
  const tracing = await openTracing({ configuration, version, clock, random: systemRandom, log, metrics });

  // The clock's timers keep no process alive: a stop that waits for one while all sockets are closed already would end here, half
  // done and with exit code 0.
  const { port1: alive } = new MessageChannel();
  alive.ref();
  const removeGuards = installProcessGuards({
    onFatal(fault, thrown) {
      metrics?.recordProcessFault(fault);
      errorReports?.report(thrown, { level: 'fatal', tags: { fault } });
      logger.fatal({ err: thrown, fault }, 'a fault that nobody caught: the server stops');
      end.now(1);
    },
    onFurther: (fault, thrown) => logger.error({ err: thrown, fault }, 'another fault on the way down'),
  });
  // From here on and not only when it listens: a start that is told to stop ends in order, with its database.
  const removeSignals = stopOnSignal(log, end);
  try {
    const app = await startApp({
      source,
      reloadables: [known, reloadLogLevel(logLevel)],
      version,
      clock,
      random: systemRandom,
      runtimeDir,
      metrics,
      clientNames,
      isKnownModel: (name) => known.has(name),
      errorReports,
      logLevel,
      beginTrace: tracing?.begin,
      endIfTold: end.throwIfReached,
      onFatal(reason, error) {
        logger.fatal({ err: error }, `${reason}: the server stops`);
        end.now(1);
      },
      onCloseFailure: (part, error) => logger.error({ err: error }, `${part} did not close in order`),
    });
    hangups.serving(() => app.configuration.reload({ kind: 'signal', signal: 'SIGHUP' }));
    return await run(app, configuration, log, end, () => {
      hangups.stopping();
      removeSignals();
    });
  } catch (error) {
    if (!(error instanceof StartEnded)) throw error;
    logger.info('stopped during the start');
    return error.exitCode;
  } finally {
    removeSignals();
    await Promise.all([tracing?.close(), errorReports?.close()]);
    alive.close();
    removeGuards();
    handOnAnnouncements();
    for (const stop of stopListening) stop();
    await log.flush();
  }
}

async function run(app: App, configuration: Configuration, { logger }: Log, end: Ending, onStopping: () => void): Promise<number> {
  const healthUrl = app.healthUrl !== undefined && { health_url: app.healthUrl };
  logger.info({ url: app.url, ...healthUrl, version, configuration_digest: app.configuration.state.digest }, 'listening');
  // A key that was given is known already, and has no business in a log.
  if (app.operatorKey !== undefined && configuration.secrets.bootstrapKey === undefined) {
    const { model, sandboxed } = exampleModel(configuration);
    printWelcome({ url: app.url, key: app.operatorKey, modelName: model, sandboxed });
  }
  const stopReleasing = releaseMemoryWhenIdle({ clock: systemClock, inFlight: () => app.inFlight });
  const code = await end.reached;
  stopReleasing();
  // Another signal means now: its default ends the process.
  onStopping();
  const { cut } = await app.stop();
  logger.info({ cut }, 'stopped');
  return code;
}

function stopOnSignal({ logger }: Log, end: Ending): () => void {
  const onSignal = (signal: NodeJS.Signals): void => {
    logger.info({ signal }, 'stopping: calls that are running may end');
    end.now(0);
  };
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  return () => void process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
}

interface Ending {
  readonly reached: Promise<number>;
  now(code: number): void;
  /** For a start, between its steps. */
  throwIfReached(): void;
}

/** A start was told to end, and has closed again what it had opened. */
class StartEnded extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('the start was told to end');
    this.exitCode = exitCode;
  }
}

function createEnding(): Ending {
  let reach!: (code: number) => void;
  let first: number | undefined;
  const reached = new Promise<number>((resolve) => (reach = resolve));
  return {
    reached,
    now(code) {
      first ??= code;
      reach(first);
    },
    throwIfReached() {
      if (first !== undefined) throw new StartEnded(first);
    },
  };
}

/** Has a reload put the level of the configuration in force. */
function reloadLogLevel(control: LogLevelControl): Reloadable<Configuration> {
  return { prepare: ({ log }) => ({ commit: () => control.configure(log.level), discard() {} }) };
}

function rotationOf({ log }: Configuration): RotationOptions {
  const { maxFileBytes, maxFiles, maxFileAgeHours } = log;
  return { maxBytes: maxFileBytes, maxFiles, ...(maxFileAgeHours > 0 && { maxAgeMs: maxFileAgeHours * 3_600_000 }) };
}

function requestLog(log: Log) {
  const access = createAccessLog(log, systemClock);
  return {
    get accessEnabled() {
      return access.enabled;
    },
    access: access.write.bind(access),
    write: (level: 'info' | 'warn' | 'error', fields: Record<string, unknown>, message: string) => log.logger[level](fields, message),
  };
}

/** A name that this server answers to, for the lines that it prints on the first start. */
function exampleModel({ models, providers }: Configuration): { model: string; sandboxed: boolean } {
  const examples: Readonly<Record<string, string>> = {
    anthropic: 'claude-sonnet-4-5',
    deepseek: 'deepseek-chat',
    gemini: 'gemini-2.5-flash',
    mistral: 'mistral-small-latest',
    openai: 'gpt-4o-mini',
    sandbox: 'demo',
  };
  const provider = providers.find((each) => each.name === (models[0]?.targets[0]?.provider ?? providers[0]!.name))!;
  return {
    model: models[0]?.name ?? `${provider.name}/${examples[provider.kind] ?? 'demo'}`,
    sandboxed: providers.every((each) => each.kind === 'sandbox'),
  };
}
