import { HoldfastError } from '@holdfast/kit/errors';
import type { CallLayer } from '../model-call.ts';
import type { ServedModels } from '../served-models.ts';

/**
 * Finds what the asked-for model stands for and whether the key may use it. From here to its end the call keeps to the
 * models and prices of this moment.
 */
export function policyLayer(models: ServedModels): CallLayer {
  return (next) => async (call) => {
    const { allowedModels } = call.context.principal;
    // Before the lookup: a key that may use two models learns nothing about which others exist.
    if (allowedModels && !allowedModels.has(call.model)) {
      throw new HoldfastError('model_not_allowed', { details: { model: call.model } });
    }
    const generation = models.current;
    const route = generation.catalog.find(call.model);
    if (!route) throw new HoldfastError('model_not_found', { details: { model: call.model } });
    if (!route.targets.some((target) => target.provider.supports(call.operation))) {
      throw new HoldfastError('operation_unsupported', { details: { model: call.model, operation: call.operation } });
    }
    call.record.route = route;
    call.record.pricing = generation.pricing;
    generation.enter();
    try {
      return await next(call);
    } finally {
      generation.leave();
    }
  };
}
