export { openAbuse } from './abuse.ts';
export { createClientNames, type ClientNames } from './client-names.ts';
export { Closers } from './closers.ts';
export { measureConfiguration } from './configuration-metrics.ts';
export { instance, openConfiguration } from './configuration.ts';
export { reloadOnHangup } from './hangups.ts';
export { dependencyCircuits, measureBreakers, openBreakerStore } from './breakers.ts';
export {
  banCommands,
  breakerCommands,
  keyCommands,
  limitCommands,
  organizationCommands,
  pseudonymCommand,
  reloadCommand,
  usageCommand,
} from './commands.ts';
export { openHealthChecks } from './health-checks.ts';
export { openHealthPort } from './health-port.ts';
export { openIdentity } from './identity.ts';
export { createKnownModels } from './known-models.ts';
export { openLedger } from './ledger.ts';
export { logAnnouncements } from './log-announcements.ts';
export { serverMetrics } from './metric-catalogue.ts';
export { openMetrics } from './metrics.ts';
export { openLimiter } from './limiter.ts';
export { openModels } from './models.ts';
export { openOverload } from './overload.ts';
export { createMinuteSum } from './performance-body.ts';
export { openPerformance } from './performance.ts';
export { openRedis } from './redis.ts';
export { openRateLimits } from './rate-limits.ts';
export { openRateLimitRoutes } from './request-limits.ts';
export { openStorage } from './storage.ts';
