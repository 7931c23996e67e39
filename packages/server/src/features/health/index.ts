export {
  createHealthRegistry,
  type DependencyOptions,
  type HealthRegistry,
  type HealthRegistryOptions,
  type ObservedDependency,
} from './registry.ts';
export { healthRoutes, type HealthRoutesOptions } from './routes.ts';
