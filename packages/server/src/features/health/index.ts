export { createHealthRegistry, type DependencyOptions, type HealthRegistry, type HealthRegistryOptions } from './registry.ts';
export { healthRoutes, type HealthRoutesOptions } from './routes.ts';
