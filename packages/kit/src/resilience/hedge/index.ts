export { hedge } from './hedge.ts';
export { createHedgeTrigger, type HedgeTrigger } from './hedge-trigger.ts';
export { hedgeDefaults, type HedgeNumbers, type HedgeOptions } from './options.ts';
