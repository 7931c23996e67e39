export { attemptBreaker } from './attempt-breaker.ts';
export { classifyAttempt } from './classify-attempt.ts';
