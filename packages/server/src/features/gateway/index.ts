export { gatewayRoutes, type GatewayOptions } from './routes.ts';
