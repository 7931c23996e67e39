export { attemptBulkhead } from './attempt-bulkhead.ts';
