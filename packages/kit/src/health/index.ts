export { prefersHealthJson } from './accept.ts';
export { dependencyHealthChanged, type DependencyHealthChanged } from './events.ts';
export { aliveAt, answerHealth, type HealthAnswer, type HealthAnswerOptions } from './health-answer.ts';
export { healthJsonType, toHealthJson, type HealthJson, type HealthJsonCheck, type HealthJsonNames } from './health-json.ts';
export { createHealthRegistry, type DependencyFailure, type HealthRegistry, type ObservedDependency } from './health-registry.ts';
export { toHealthReport, type HealthReport } from './health-report.ts';
export { healthDefaults, type HealthCheckOptions, type HealthRegistryOptions } from './options.ts';
export {
  worseOf,
  type CheckResult,
  type ComponentHealth,
  type ComponentType,
  type HealthSnapshot,
  type HealthStatus,
  type Measurement,
  type WatchedMember,
  type WatchedState,
} from './snapshot.ts';
