export { tierUnknown, type TierUnknown } from './announcements.ts';
export { rateLimitRoutes, type RateLimitRoutesOptions } from './routes.ts';
export { ReloadableRequestLimits } from './reloadable-request-limits.ts';
export { createRequestLimits, type LimitedRoute, type LevelsOfRoute, type RequestLimits } from './request-limits.ts';
export { createStanding, type Standing } from './standing.ts';
export type { EndpointLimit, EndpointSubject, LevelLimit, LevelName, RequestLimitOptions } from './options.ts';
