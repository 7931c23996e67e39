export { createDiskCheck, createLoadCheck, createProviderHealth } from './checks/index.ts';
export {
  createDiagnostics,
  createProviderCaller,
  diagnosticRoutes,
  findingTable,
  isLocalHost,
  readDisks,
  readOpenFiles,
  type ConfigurationFacts,
  type RemoteFacts,
} from './diagnostics/index.ts';
export { healthRoutes, type HealthRoutesOptions } from './routes.ts';
