export { healthProbes, type HealthProbesOptions } from './plugin.ts';
