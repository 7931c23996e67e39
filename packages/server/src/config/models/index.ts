export { limitFields } from './limit-fields.ts';
export type { ModelConfiguration, ModelTarget } from './model-configuration.ts';
export { readModels } from './read-models.ts';
