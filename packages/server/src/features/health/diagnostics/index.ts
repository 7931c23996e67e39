export { createProviderCaller, type ProviderCall, type ProviderTarget } from './call-providers.ts';
export { createDiagnostics, type Diagnosis, type Diagnostics } from './diagnostics-service.ts';
export { isLocalHost, type ConfigurationFacts, type RemoteFacts } from './examine-configuration.ts';
export { readDisks, readOpenFiles } from './examine-process.ts';
export { diagnosticRoutes } from './routes.ts';
