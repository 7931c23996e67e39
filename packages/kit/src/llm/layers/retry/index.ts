export { attemptRetry } from './attempt-retry.ts';
