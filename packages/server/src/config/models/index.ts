export { callLimitFields } from './call-limit-fields.ts';
export { limitFields } from './limit-fields.ts';
export type {
  BreakerConfiguration,
  BulkheadConfiguration,
  HedgeConfiguration,
  CallLimitConfiguration,
  ModelConfiguration,
  ModelTarget,
  RetryConfiguration,
  StrategyConfiguration,
} from './model-configuration.ts';
export { readModels } from './read-models.ts';
export { breakerFields, bulkheadFields, hedgeFields, holdBackField, retryFields, strategyField, weightField } from './resilience-fields.ts';
