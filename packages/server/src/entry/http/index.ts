export { type Authenticate } from './access.ts';
export { type DrainOptions, type DrainResult } from './drain.ts';
export { addMetricsRoute, type MetricsSource } from './metrics-route.ts';
export { installProcessGuards, type ProcessFault, type ProcessGuardOptions } from './process-guards.ts';
export { type Access, type RequestFailure } from './request-context.ts';
export type { ReadClientAddress } from './request-tracker.ts';
export { logRequests, type RequestLog } from './request-log.ts';
export { securityHeaders } from './security-headers.ts';
export { createHttpServer, type HttpApp, type HttpServer, type HttpServerOptions } from './server.ts';
