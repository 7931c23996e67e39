export { tierUnknown, type TierUnknown } from './announcements.ts';
export { createRequestLimits, type LimitedRoute, type LevelsOfRoute, type RequestLimits } from './request-limits.ts';
export type { EndpointLimit, EndpointSubject, LevelLimit, LevelName, RequestLimitOptions } from './options.ts';
