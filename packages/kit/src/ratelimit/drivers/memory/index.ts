export { createMemoryDriver, type MemoryDriver } from './memory-driver.ts';
export { memoryDriverDefaults, type MemoryDriverOptions } from './options.ts';
