export { KeptParts } from './kept-parts.ts';
export { createModelCatalog, type ModelCatalogOptions, type ModelDefinition } from './model-catalog.ts';
export { emptyRecord, type CallContext, type CallNext, type CallSink, type ModelCall } from './model-call.ts';
export type { ListedModel, ModelCatalog } from './model-route.ts';
export { createPipeline, type PipelineOptions } from './pipeline.ts';
export type { CallEnding, Ledger, LedgerEntry } from './ports.ts';
export type { Pricing } from './pricing.ts';
export { scopes, type Principal, type Scope } from './principal.ts';
export { ModelGeneration, ServedModels } from './served-models.ts';
