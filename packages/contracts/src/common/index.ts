export { maxPageSize, pageOf, pageQuery } from './list.ts';
export { costNanoUsd, costUsd, formatUsd, requestId, requestIdPattern, timestamp, uuid } from './scalars.ts';
