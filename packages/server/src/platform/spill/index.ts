export { Spill, SpillError, type ReplayTarget, type SpillOptions } from './spill.ts';
