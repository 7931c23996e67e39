export { createMemoryBanStore } from './memory-ban-store.ts';
