export { KeptParts } from './kept-parts.ts';
export { createModelCatalog, type ModelCatalogOptions, type ModelDefinition } from './model-catalog.ts';
export { createCallBuckets, type CallBuckets } from './call-buckets.ts';
export type { CallRateLimits } from './call-rate-limits.ts';
export { emptyRecord, type CallContext, type CallNext, type CallSink, type ModelCall } from './model-call.ts';
export type { ListedModel, ModelCatalog } from './model-route.ts';
export { createPipeline, type PipelineOptions } from './pipeline.ts';
export { mostCost } from './most-cost.ts';
export type {
  AppliedBudgets,
  BudgetDecision,
  BudgetedCaller,
  BudgetedMoment,
  BudgetReservation,
  CallAudit,
  CallBudgets,
  CallEnding,
  CallLimits,
  CallLimitSettings,
  Ledger,
  LedgerEntry,
} from './ports.ts';
export type { Pricing } from './pricing.ts';
export { scopes, type Principal, type Scope } from './principal.ts';
export { ModelGeneration, ServedModels } from './served-models.ts';
