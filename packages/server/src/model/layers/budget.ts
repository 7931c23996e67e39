import { HoldfastError } from '@holdfast/kit/errors';
import type { AttemptResult } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { noteLayer } from '../call-tracing.ts';
import type { CallLayer, CallNext, ModelCall } from '../model-call.ts';
import { mostCost } from '../most-cost.ts';
import type { AppliedBudgets, BudgetDecision, CallBudgets } from '../ports.ts';

/**
 * Holds back the most that a call can cost, in all budgets that it is under or in none, before anything is sent; settles it once with what the call
 * did cost, however it ended. Refuses with `budget_exceeded`, and with `price_unknown` what no hard budget can hold. A call that is under no budget
 * costs one comparison.
 */
export function budgetLayer(budgets: CallBudgets, clock: Clock): CallLayer {
  async function waited(call: ModelCall, reserving: Promise<BudgetDecision>): Promise<BudgetDecision> {
    const { tracing } = call.record;
    if (tracing === undefined) return reserving;
    const beganAt = clock.monotonic();
    try {
      return await reserving;
    } finally {
      noteLayer(tracing, 'budget', beganAt, clock.monotonic());
    }
  }

  async function run(call: ModelCall, applied: AppliedBudgets, next: CallNext): Promise<AttemptResult> {
    const most = applied.hard ? mostNanoUsd(call) : 0;
    const reserving = applied.reserve(call.context, most);
    const decision = reserving instanceof Promise ? await waited(call, reserving) : reserving;
    if (!decision.held) throw decision.error;
    try {
      const { cancellation } = call.context;
      if (cancellation.cancelled) throw cancellation.reason;
      if (applied.hard) call.record.reservedNanoUsd = most;
      return await next(call);
    } finally {
      const { settled } = call.record;
      // A price that is not known after all: under a hard budget it counts as the most that it can be.
      decision.settle(settled === undefined ? 0 : (settled.costNanoUsd ?? most));
    }
  }

  return (next) => (call) => {
    const applied = budgets.of(call.context.principal);
    // Counting tokens costs nothing anywhere.
    return applied === undefined || call.operation === 'count_tokens' ? next(call) : run(call, applied, next);
  };
}

function mostNanoUsd(call: ModelCall): number {
  const most = mostCost(call);
  if (most.known) return most.nanoUsd;
  throw new HoldfastError('price_unknown', { detail: `no price of ${most.target} is known`, details: { model: call.model } });
}
