export {
  dependencyHealth,
  healthJson,
  healthReport,
  healthStatus,
  type DependencyHealth,
  type HealthReport,
  type HealthStatus,
} from './health.ts';
