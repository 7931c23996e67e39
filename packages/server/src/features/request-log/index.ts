export { requestsUnlogged, type RequestsUnlogged } from './events.ts';
export type { RequestContent } from './logged-request.ts';
export { overlapChars } from './masked-content.ts';
export { createRequestLogService, type RequestLogService } from './request-log-service.ts';
export { createRequestLogStore, type RequestLogStore } from './request-log-store.ts';
export { startRequestLog, type RequestLog, type RequestLogOptions } from './request-log.ts';
export { requestLogRoutes } from './routes.ts';
