export { attemptLimits } from './attempt-limits.ts';
export { attemptLimitDefaults, type AttemptLimits } from './options.ts';
