export { clientKey } from './client-key.ts';
export {
  createLimitStep,
  rateLimit,
  rateLimitDefaults,
  type LevelsOfRequest,
  type LimitStep,
  type LimitStepOptions,
  type RateLimitOptions,
} from './rate-limit/index.ts';
export { healthProbes, type HealthProbesOptions } from './health-probes/index.ts';
export { requestTracing, type RequestTracingOptions } from './request-tracing/index.ts';
