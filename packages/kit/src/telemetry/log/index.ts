export { createAccessLog } from './access-line.ts';
export { toLogLevel, type LogLevel } from './level.ts';
export type { RotationOptions } from './log-file.ts';
export { logIds, type LogIds } from './log-ids.ts';
export { createLogger, type Log, type LoggerOptions } from './logger.ts';
export { redactLine } from './redact.ts';
