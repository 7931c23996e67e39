export { createAccessLog } from './access-line.ts';
export { toLogLevel, type LogLevel } from './level.ts';
export { createLogger, type Log, type LoggerOptions } from './logger.ts';
export { redactLine } from './redact.ts';
