export { endpointPerField, endpointExemptField, levelFields, levelVariables } from './level-fields.ts';
export { printRateLimits } from './print-rate-limits.ts';
export type {
  EndpointLimitConfiguration,
  EndpointSubject,
  LevelConfiguration,
  RateLimitConfiguration,
  RateLimitLevelName,
} from './rate-limit-configuration.ts';
export { readRateLimits } from './read-rate-limits.ts';
