import { errorCategories } from '@holdfast/kit/errors';
import type { SettingSection } from './setting.ts';
import { choice, decimal, listOf, text } from './value-types.ts';

const category = choice(Object.keys(errorCategories));

/** `sentry:` of the file. Variables have Sentry's names where it has one. */
export const sentrySettings = {
  dsn: {
    secret: true,
    environment: 'SENTRY_DSN',
    expected: 'a DSN like `https://key@o1.ingest.sentry.io/2`',
    accepts: (value) => /^https?:\/\/\w+(?::\w*)?@[^\s/@]+(?:\/[^\s/@]+)*\/\w+$/.test(value),
    description:
      'Where errors that should not happen are reported, masked. Needs `@sentry/core` 11 beside Holdfast (`npm install @sentry/core@11`); without a DSN nothing of it is loaded.',
  },
  environment: {
    type: text('a name', /^[^\s/]{1,64}$/),
    environment: 'SENTRY_ENVIRONMENT',
    default: 'production',
    description: 'What Sentry calls the place that this server runs in.',
  },
  release: {
    type: text('a name', /^[^\s/\\]{1,200}$/),
    environment: 'SENTRY_RELEASE',
    default: undefined,
    defaultText: '`holdfast@` and the version',
    description: 'What Sentry calls this version.',
  },
  sampleRate: {
    type: decimal(0, 1),
    environment: 'SENTRY_SAMPLE_RATE',
    default: 1,
    description: 'Share of the errors that are sent. 60 a minute are in any case the most.',
  },
  tracesSampleRate: {
    type: decimal(0, 1),
    environment: 'SENTRY_TRACES_SAMPLE_RATE',
    default: 0,
    description:
      "Share of the traces that Sentry gets, by OTLP at the DSN's host, besides those of requests that failed or were slow (`tracing.keepFailedAndSlow`) and of callers that keep theirs. In place of another receiver of traces, not beside it.",
  },
  categories: {
    type: listOf(category, `categories of errors: ${Object.keys(errorCategories).join(', ')}`),
    environment: 'HOLDFAST_SENTRY_CATEGORIES',
    default: ['internal'] as readonly string[],
    defaultText: '`internal`',
    description:
      'Which errors of requests are reported, by their category in the [error table](errors.md). Beyond `internal`, `database` is one to think of; those of clients and providers belong into alerts. Comma-separated in the environment, a list in the file.',
  },
} as const satisfies SettingSection;
