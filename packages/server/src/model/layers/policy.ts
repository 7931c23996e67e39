import { HoldfastError } from '@holdfast/kit/errors';
import type { CallLayer } from '../model-call.ts';
import type { ModelCatalog } from '../model-route.ts';

/** Finds what the asked-for model stands for and whether the key may use it. */
export function policyLayer(catalog: ModelCatalog): CallLayer {
  return (next) => (call) => {
    const { allowedModels } = call.context.principal;
    // Before the lookup: a key that may use two models learns nothing about which others exist.
    if (allowedModels && !allowedModels.has(call.model)) {
      throw new HoldfastError('model_not_allowed', { details: { model: call.model } });
    }
    const route = catalog.find(call.model);
    if (!route) throw new HoldfastError('model_not_found', { details: { model: call.model } });
    if (!route.targets.some((target) => target.provider.supports(call.operation))) {
      throw new HoldfastError('operation_unsupported', { details: { model: call.model, operation: call.operation } });
    }
    call.record.route = route;
    return next(call);
  };
}
