export { healthRoutes, type HealthRoutesOptions } from './routes.ts';
