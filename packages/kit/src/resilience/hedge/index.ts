export { hedge } from './hedge.ts';
export { hedgeDefaults, type HedgeNumbers, type HedgeOptions } from './options.ts';
