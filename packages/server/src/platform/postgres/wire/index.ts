export type { ArrayParameter, WireStatement } from './messages.ts';
export { WireConnection } from './wire-connection.ts';
