export { createModelCatalog, type ModelCatalogOptions, type ModelDefinition } from './model-catalog.ts';
export { emptyRecord, type CallContext, type CallNext, type CallSink, type ModelCall } from './model-call.ts';
export type { ListedModel, ModelCatalog } from './model-route.ts';
export { createPipeline, type PipelineOptions } from './pipeline.ts';
export type { CallEnding, Ledger, LedgerEntry, Pricing } from './ports.ts';
export { scopes, type Principal, type Scope } from './principal.ts';
