import pino, { type Logger } from 'pino';
import { createTimestampWriter, type Clock } from '../../time/index.ts';
import { openSink, type LineSink } from './destination.ts';
import type { RotationOptions } from './log-file.ts';
import { toLogLevel, type LogLevel } from './level.ts';
import { redactLine } from './redact.ts';

export interface LoggerOptions {
  readonly clock: Clock;
  /** DEBUG to CRITICAL, or pino's names. Default `info`. */
  readonly level?: string;
  /** One JSON object a line; else lines for people, for which `pino-pretty` must be installed. Default true. */
  readonly json?: boolean;
  /** Also written to this file, always as JSON. */
  readonly file?: string;
  /** When that file makes room for a new one. Default: never. */
  readonly rotation?: RotationOptions;
  /** Instead of standard output. For tests, and for programs that keep standard output to themselves. */
  readonly sink?: { write(text: string): void };
  /** Members of every line, such as the service and its version. */
  readonly base?: Readonly<Record<string, unknown>>;
}

export interface Log {
  readonly logger: Logger;
  readonly json: boolean;
  /** The least level that is written. May be set at any time, and holds from the next line on. */
  level: LogLevel;
  /** Writes a finished line of JSON, newline included, past the logger. It MUST have been redacted. */
  writeLine(line: string): void;
  /** To be awaited before the process ends. */
  flush(): Promise<void>;
}

/** A pino logger whose lines are free of secrets, whatever they were given. */
export async function createLogger(options: LoggerOptions): Promise<Log> {
  const { clock } = options;
  const json = options.json ?? true;
  const level = toLogLevel(options.level ?? 'info');
  const sinks: LineSink[] = [];
  const complain = (where: string) => (error: Error) => logger.error({ err: error }, `the log ${where} cannot be written`);
  const main = options.sink
    ? { write: options.sink.write.bind(options.sink), flush: async () => {} }
    : openSink({ target: 'stdout', clock, onError: () => {} });
  sinks.push(json ? main : await prettify(main, options.sink === undefined && process.stdout.isTTY));
  if (options.file !== undefined)
    sinks.push(
      openSink({
        target: { file: options.file, rotation: options.rotation },
        clock,
        onError: complain('file'),
        onRecovery: (droppedLines) => logger.warn({ dropped_lines: droppedLines }, 'the log file is written again'),
      }),
    );

  const [first, ...others] = sinks as [LineSink, ...LineSink[]];
  const write =
    others.length === 0
      ? (line: string) => first.write(line)
      : (line: string) => {
          for (const sink of sinks) sink.write(line);
        };
  const instant = createTimestampWriter();
  const logger = pino(
    {
      level,
      base: options.base ?? null,
      timestamp: () => `,"time":"${instant(clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => (error instanceof Error ? toPlainError(error) : error) },
      hooks: { streamWrite: redactLine },
    },
    { write },
  );
  return {
    logger,
    json,
    get level() {
      return logger.level as LogLevel;
    },
    set level(given) {
      logger.level = given;
    },
    writeLine: write,
    async flush() {
      await Promise.all(sinks.map((sink) => sink.flush()));
    },
  };
}

/** Loaded only when asked for: production logs JSON and need not have it installed. */
async function prettify(to: LineSink, colorize: boolean): Promise<LineSink> {
  const { default: pretty } = await import('pino-pretty');
  const format = pretty.prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' });
  return {
    write(line) {
      const text = format(line);
      if (text !== undefined) to.write(text);
    },
    flush: () => to.flush(),
  };
}

/**
 * An error as an operator wants to read it, causes included. Members that are objects are left out: drivers hang whole
 * clients, sockets and requests onto their errors, with what those hold.
 */
function toPlainError(error: Error): object {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(pino.stdSerializers.errWithCause(error))) {
    if (typeof value !== 'object' && typeof value !== 'function') plain[name] = value;
  }
  if (error.cause instanceof Error) plain['cause'] = toPlainError(error.cause);
  if (error instanceof AggregateError) plain['errors'] = error.errors.filter((each) => each instanceof Error).map(toPlainError);
  return plain;
}
