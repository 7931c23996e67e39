export { createDiskCheck, createLoadCheck, createProviderHealth } from './checks/index.ts';
export {
  createDiagnostics,
  createProviderCaller,
  diagnosticRoutes,
  isLocalHost,
  readDisks,
  readOpenFiles,
  type ConfigurationFacts,
  type RemoteFacts,
} from './diagnostics/index.ts';
export { createEndpointTester, endpointTestRoutes, type EndpointTester, type TestKeys } from './endpoint-tests/index.ts';
export { healthRoutes, type HealthRoutesOptions } from './routes.ts';
