export { limitFields } from './limit-fields.ts';
export { defaultModelLimits, type ModelConfiguration, type ModelLimits, type ModelTarget } from './model-configuration.ts';
export { readModels } from './read-models.ts';
