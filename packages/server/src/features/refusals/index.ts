export { FloodGate } from './flood-gate.ts';
export { createRefusedCalls } from './refused-calls.ts';
export { createRefusedRequests, type RefusedRequest } from './refused-requests.ts';
