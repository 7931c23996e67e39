export { createBreakerService, type BreakerService, type BreakerServiceOptions } from './breaker-service.ts';
export type { BreakerDirectory, Circuit, CircuitStatus, MovableBreaker } from './circuit.ts';
export { breakerMoved, type BreakerMoved } from './events.ts';
export { breakerRoutes, type BreakerRoutesOptions } from './routes.ts';
