import type { Clock } from '@holdfast/kit/time';
import { auditLayer, budgetLayer, ledgerLayer, limitsLayer, policyLayer, routeCall, traceLayer } from './layers/index.ts';
import type { CallLayer, CallNext } from './model-call.ts';
import type { CallAudit, CallBudgets, CallLimits, Ledger } from './ports.ts';
import type { ServedModels } from './served-models.ts';

export interface PipelineOptions {
  readonly models: ServedModels;
  /** Undefined: nothing is limited. */
  readonly limits: CallLimits | undefined;
  /** Undefined: nothing is budgeted. */
  readonly budgets?: CallBudgets | undefined;
  readonly ledger: Ledger;
  /** Undefined: nobody is told of refusals. */
  readonly audit?: CallAudit | undefined;
  readonly clock: Clock;
}

/** The one list of layers around a model call, outermost first. Whoever calls a model calls this. */
export function createPipeline({ models, limits, budgets, ledger, audit, clock }: PipelineOptions): CallNext {
  const layers: readonly CallLayer[] = [
    traceLayer(clock), //
    ...(audit ? [auditLayer(audit)] : []),
    policyLayer(models),
    ...(limits ? [limitsLayer(limits, clock)] : []),
    ...(budgets ? [budgetLayer(budgets, clock)] : []),
    ledgerLayer(ledger, clock),
  ];
  return layers.reduceRight((next, layer) => layer(next), routeCall(clock));
}
