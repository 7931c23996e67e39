export { availableFirst } from './available-first.ts';
export { configuredOrder } from './configured-order.ts';
export { costOrder, type CostEstimate } from './cost-order.ts';
export { latencyOrder, latencyOrderDefaults, type LatencyOrdering } from './latency-order.ts';
export type { LatencyObserver } from './peak-ewma.ts';
export type { TargetOrdering } from './target-ordering.ts';
export { weightedOrder } from './weighted-order.ts';
