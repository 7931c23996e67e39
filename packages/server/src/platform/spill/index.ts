export { Spill, SpillError, type ReplayTarget, type SetAside, type SpillOptions } from './spill.ts';
