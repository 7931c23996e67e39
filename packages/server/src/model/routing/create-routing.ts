import type { AttemptResult, Operation, ShallowBody } from '@holdfast/kit/llm';
import type { BreakerState } from '@holdfast/kit/resilience';
import type { Random } from '@holdfast/kit/time';
import type { Pricing } from '../pricing.ts';
import { availableFirst } from './available-first.ts';
import { configuredOrder } from './configured-order.ts';
import { orderByCost } from './cost-order.ts';
import type { ExpectedUse } from './expected-use.ts';
import { latencyOrder } from './latency-order.ts';
import type { LatencyObserver } from './peak-ewma.ts';
import type { RoutingMemory } from './routing-memory.ts';
import type { TargetOrdering } from './target-ordering.ts';
import { weightedOrder } from './weighted-order.ts';

export const routeStrategies = ['fallback', 'weighted', 'latency', 'cost'] as const;

export type RouteStrategy = (typeof routeStrategies)[number];

/** What is asked of a target here. */
export interface RoutedTarget {
  /** `provider/model` */
  readonly name: string;
  readonly provider: { readonly kind: string; supports(operation: Operation): boolean };
  readonly model: string;
  readonly weight: number;
  readonly breaker: { readonly state: BreakerState } | undefined;
}

/** What is asked of a call here. */
export interface RoutedCall {
  readonly operation: Operation;
  readonly stream: boolean;
  readonly body: ShallowBody;
  readonly context: { readonly startedAt: number };
  readonly record: { readonly pricing: Pick<Pricing, 'costNanoUsd'> | undefined };
}

/** Chooses among the targets of one model. */
export interface Routing<Target> {
  readonly strategy: RouteStrategy;
  /**
   * The targets that offer the call's operation, the one to ask first first; those with an open breaker come last. Empty when none offers
   * it. Not to be written to.
   */
  order(call: RoutedCall): readonly Target[];
  /** To be told of each try at the target, where the strategy wants to know. */
  latencyOf(target: Target, call: RoutedCall): LatencyObserver | undefined;
  /** The call got a whole answer. */
  completed(call: RoutedCall, result: AttemptResult): void;
}

export interface RoutingOptions<Target> {
  readonly strategy: RouteStrategy;
  readonly targets: readonly Target[];
  readonly random: Random;
  readonly memory: RoutingMemory;
}

/** Calls that can be compared: of one operation, and all of them streams or none. */
interface Lane<Target> {
  readonly ordering: TargetOrdering<Target, RoutedCall>;
  latencyOf?(target: Target): LatencyObserver;
  learn?(result: AttemptResult): void;
}

/**
 * A strategy for each kind of call: the first event of a stream is no measure for a whole answer, nor an embedding for a chat. What one has learnt is
 * of this model alone, also where another leads to the same targets.
 */
export function createRouting<Target extends RoutedTarget>(options: RoutingOptions<Target>): Routing<Target> {
  const { strategy, targets } = options;
  const lanes = new Map<Operation, readonly [plain: Lane<Target>, streamed: Lane<Target>]>();

  function laneOf({ operation, stream }: RoutedCall): Lane<Target> {
    let pair = lanes.get(operation);
    if (!pair) {
      const able = targets.filter((target) => target.provider.supports(operation));
      pair = [createLane(able, `${operation}/plain`, options), createLane(able, `${operation}/stream`, options)];
      lanes.set(operation, pair);
    }
    return pair[stream ? 1 : 0];
  }

  return {
    strategy,
    order: (call) => laneOf(call).ordering.order(call),
    latencyOf: (target, call) => laneOf(call).latencyOf?.(target),
    completed: (call, result) => laneOf(call).learn?.(result),
  };
}

function createLane<Target extends RoutedTarget>(targets: readonly Target[], kind: string, options: RoutingOptions<Target>): Lane<Target> {
  // Nothing to choose, and so nothing to learn.
  if (targets.length < 2) return { ordering: configuredOrder(targets) };
  const { ordering, ...rest } = createChoice(targets, kind, options);
  return { ordering: availableFirst(ordering, ({ breaker }) => breaker?.state !== 'open'), ...rest };
}

function createChoice<Target extends RoutedTarget>(
  targets: readonly Target[],
  kind: string,
  options: RoutingOptions<Target>,
): Lane<Target> {
  const { random, memory } = options;
  switch (options.strategy) {
    case 'fallback':
      return { ordering: configuredOrder(targets) };
    case 'weighted': {
      const weights = targets.map(({ weight }) => weight);
      return { ordering: weightedOrder(targets, weights, random) };
    }
    case 'latency': {
      const latencies = memory.latencies(kind);
      return { ordering: latencyOrder(targets, latencies, random), latencyOf: ({ name }) => latencies.of(name) };
    }
    case 'cost':
      return byCost(targets, memory.expectedUse(kind));
  }
}

function byCost<Target extends RoutedTarget>(targets: readonly Target[], expected: ExpectedUse): Lane<Target> {
  return {
    ordering: {
      order(call) {
        const { pricing } = call.record;
        if (!pricing) return targets;
        const usage = expected.of(call);
        const at = call.context.startedAt;
        return orderByCost(targets, ({ provider, model }) =>
          pricing.costNanoUsd({ providerKind: provider.kind, model, servedModel: undefined, usage, at }),
        );
      },
    },
    learn: ({ usage }) => expected.learn(usage),
  };
}
