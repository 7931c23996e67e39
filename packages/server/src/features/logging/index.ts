export { createLogLevelControl, logLevelChanged, type LogLevelChanged, type LogLevelControl } from './log-level.ts';
export { logLevelRoutes, type LogLevelRoutesOptions } from './routes.ts';
