export {
  diagnosis,
  diagnosticsQuery,
  finding,
  findingSeverity,
  type DiagnosisBody,
  type DiagnosticsQuery,
  type FindingBody,
} from './diagnostics.ts';
export { endpointTestReport, type EndpointTestReportBody } from './endpoint-tests.ts';
export {
  dependencyHealth,
  healthJson,
  healthReport,
  healthStatus,
  type DependencyHealth,
  type HealthReport,
  type HealthStatus,
} from './health.ts';
