export { requestTracing, type RequestTracingOptions } from './plugin.ts';
