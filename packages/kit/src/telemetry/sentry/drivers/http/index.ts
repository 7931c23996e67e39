export { SentrySender, type SentrySenderOptions } from './sentry-sender.ts';
