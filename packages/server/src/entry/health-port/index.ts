export { healthThreadEnded, type HealthThreadEnded } from './events.ts';
export { openHealthPort, type HealthPort, type HealthPortOptions } from './health-port.ts';
