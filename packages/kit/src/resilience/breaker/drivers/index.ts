export { createLocalBreakerStore } from './local-store.ts';
