export { maxPageSize, pageOf, pageQuery } from './list.ts';
export { costNanoUsd, costUsd, formatUsd, requestId, requestIdPattern, timestamp, traceId, uuid } from './scalars.ts';
