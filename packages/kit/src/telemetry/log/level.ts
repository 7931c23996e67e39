import { HoldfastError } from '../../errors/index.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

const names: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
  fatal: 'fatal',
  silent: 'silent',
  off: 'silent',
};

/** The names that operators know from elsewhere (DEBUG to CRITICAL) and pino's own, in any case. Throws `configuration_invalid`. */
export function toLogLevel(name: string): LogLevel {
  const level = names[name.trim().toLowerCase()];
  if (level) return level;
  throw new HoldfastError('configuration_invalid', { detail: `"${name}" is not a log level: use one of ${Object.keys(names).join(', ')}` });
}
