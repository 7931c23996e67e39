export { availableFirst } from './available-first.ts';
export { configuredOrder } from './configured-order.ts';
export { orderByCost } from './cost-order.ts';
export { Latencies } from './latencies.ts';
export { latencyOrder } from './latency-order.ts';
export {
  createRouting,
  routeStrategies,
  type RoutedCall,
  type RoutedTarget,
  type RouteStrategy,
  type Routing,
  type RoutingOptions,
} from './create-routing.ts';
export { RoutingMemory } from './routing-memory.ts';
export type { LatencyObserver } from './peak-ewma.ts';
export type { TargetOrdering } from './target-ordering.ts';
export { weightedOrder } from './weighted-order.ts';
