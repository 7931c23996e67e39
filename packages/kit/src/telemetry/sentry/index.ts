export type { Crumb } from './breadcrumbs.ts';
export { createSentryReporter, type ErrorContext, type ErrorReporter, type ReportCounts } from './create-sentry-reporter.ts';
export { sentryDefaults, type SentryOptions } from './options.ts';
