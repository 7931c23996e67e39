export { attemptHedge, type AttemptHedgeOptions } from './attempt-hedge.ts';
