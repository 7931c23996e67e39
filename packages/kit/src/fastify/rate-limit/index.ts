export { createLimitStep, type LimitStep, type LimitStepOptions } from './limit-step.ts';
export { rateLimitDefaults, type LevelsOfRequest, type RateLimitOptions } from './options.ts';
export { rateLimit } from './plugin.ts';
