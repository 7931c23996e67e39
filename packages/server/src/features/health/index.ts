export { createDiskCheck, createLoadCheck, createProviderHealth } from './checks/index.ts';
export { healthRoutes, type HealthRoutesOptions } from './routes.ts';
