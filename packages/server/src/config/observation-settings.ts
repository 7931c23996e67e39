import { auditPublishingSettings } from './audit-publishing-settings.ts';
import type { SettingSection } from './setting.ts';
import { flag, integer } from './value-types.ts';

/** What the server measures and keeps of what it does. */
export const observationSettings = {
  audit: {
    retentionDays: {
      type: integer(0, 36_500),
      environment: 'AUDIT_LOG_RETENTION_DAYS',
      default: 90,
      description:
        'Days after which events of the audit log are removed, and the personal data that they refer to. Their hashes are kept, so that the rest still verifies; the removal is an event itself. `0` keeps them for ever.',
    },
    bufferSize: {
      type: integer(1, 2_000),
      environment: 'AUDIT_BUFFER_SIZE',
      default: 100,
      description:
        'From this many waiting events on they get their places in the audit log at once; fewer wait up to a quarter of a second for others to share the signature. They are durable either way before the answer that they belong to.',
    },
    ...auditPublishingSettings,
  },
  performance: {
    enabled: {
      type: flag,
      environment: 'HOLDFAST_PERFORMANCE_ENABLED',
      default: true,
      description:
        'Whether times of requests, model calls and queries are measured for `/api/admin/metrics` and `/api/health/metrics`, and slow ones told.',
    },
    stored: {
      type: flag,
      environment: 'HOLDFAST_METRICS_STORED',
      default: true,
      description:
        'Whether what is measured is kept in the database, one row for each minute of each instance. Off, it is that of one instance and of the last hour.',
    },
    retentionMinutes: {
      type: integer(1, 525_600),
      environment: 'METRICS_RETENTION_MINUTES',
      default: 1_440,
      defaultText: '1440 (24 h)',
      description: 'Minutes for which it is kept. A row has 5 to 50 KB.',
    },
    slowRequestMs: {
      type: integer(0, 3_600_000),
      environment: 'HOLDFAST_SLOW_REQUEST_MS',
      default: 2_000,
      description:
        'Milliseconds from which on a request is logged as slow; those that call a model have a threshold of their own. `0`: none.',
    },
    slowModelCallMs: {
      type: integer(0, 3_600_000),
      environment: 'HOLDFAST_SLOW_MODEL_CALL_MS',
      default: 60_000,
      description: 'The same of model calls, streams to their end.',
    },
    slowQueryMs: {
      type: integer(0, 3_600_000),
      environment: 'HOLDFAST_SLOW_QUERY_MS',
      default: 500,
      description: 'The same of statements of the database.',
    },
  },
  requestLog: {
    enabled: {
      type: flag,
      environment: 'HOLDFAST_REQUEST_LOG_ENABLED',
      default: true,
      description:
        'Whether route, status, sizes and time of every request are kept in the database, for `/api/request-log`. Written in groups beside the requests, which never wait for it.',
    },
    content: {
      type: flag,
      environment: 'HOLDFAST_REQUEST_LOG_CONTENT',
      default: false,
      description:
        'Whether what was said in requests and answers is kept as well, with secrets and personal data masked. Masking finds much and not all: see the guide before you switch it on.',
    },
    maxContentBytes: {
      type: integer(256, 1_048_576),
      environment: 'HOLDFAST_REQUEST_LOG_MAX_CONTENT_BYTES',
      default: 16_384,
      description: 'Most that is kept of a request and of an answer, each; the rest is cut off.',
    },
    retentionHours: {
      type: integer(1, 87_600),
      environment: 'HOLDFAST_REQUEST_LOG_RETENTION_HOURS',
      default: 168,
      defaultText: '168 (7 days)',
      description: 'Hours for which requests are kept.',
    },
    maxRows: {
      type: integer(1_000, 1_000_000_000),
      environment: 'HOLDFAST_REQUEST_LOG_MAX_ROWS',
      default: 5_000_000,
      description:
        'Requests that are kept at most, so that the disk does not fill: the oldest go first. Without content one takes some 350 bytes with its indexes.',
    },
  },
} as const satisfies Readonly<Record<string, SettingSection>>;
