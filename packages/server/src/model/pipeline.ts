import type { Clock } from '@holdfast/kit/time';
import { ledgerLayer, policyLayer, routeCall, traceLayer } from './layers/index.ts';
import type { CallLayer, CallNext } from './model-call.ts';
import type { ModelCatalog } from './model-route.ts';
import type { Ledger, Pricing } from './ports.ts';

export interface PipelineOptions {
  readonly catalog: ModelCatalog;
  readonly ledger: Ledger;
  readonly pricing: Pricing;
  readonly clock: Clock;
}

/** The one list of layers around a model call, outermost first. Whoever calls a model calls this. */
export function createPipeline({ catalog, ledger, pricing, clock }: PipelineOptions): CallNext {
  const layers: readonly CallLayer[] = [
    traceLayer(clock), //
    policyLayer(catalog),
    ledgerLayer(ledger, pricing, clock),
  ];
  return layers.reduceRight((next, layer) => layer(next), routeCall(clock));
}
