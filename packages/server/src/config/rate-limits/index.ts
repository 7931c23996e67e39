export { endpointPerField, endpointExemptField, levelFields, levelVariables, tierFields } from './level-fields.ts';
export { printRateLimits } from './print-rate-limits.ts';
export type {
  EndpointLimitConfiguration,
  EndpointSubject,
  LevelConfiguration,
  RateLimitConfiguration,
  RateLimitLevelName,
  TierConfiguration,
} from './rate-limit-configuration.ts';
export { readRateLimits } from './read-rate-limits.ts';
