export type { ConfigurationPort } from './configuration-port.ts';
export { createConfigurationService, type ConfigurationService } from './configuration-service.ts';
export { configurationRejected, configurationReloaded, type ReloadRequester } from './events.ts';
export type { PreparedReload, Reloadable } from './reloadable.ts';
export { configurationRoutes } from './routes.ts';
