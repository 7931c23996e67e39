import { isHeaderList, parseKeyValueList } from './key-value-list.ts';
import type { SettingSection } from './setting.ts';
import { choice, decimal, flag, integer, text, type ValueType } from './value-types.ts';

/** Without user, password and query: what it takes to be let in belongs into the headers, which are a secret. */
const endpoint = text('an http or https URL, without credentials and query', /^https?:\/\/[^\s/?#@\\]+(?:\/[^\s?#\\]*)?$/);

const attributes: ValueType<string> = {
  ...text('`name=value` pairs with commas between them'),
  schema: text('').schema.refine((value) => parseKeyValueList(value) !== undefined),
};

/** `tracing:` of the file. Variables have OpenTelemetry's names where it has one. */
export const tracingSettings = {
  disabled: {
    type: flag,
    environment: 'OTEL_SDK_DISABLED',
    default: false,
    description: 'Switches tracing off, whatever else is set.',
  },
  exporter: {
    type: choice(['otlp', 'console', 'none']),
    environment: 'OTEL_TRACES_EXPORTER',
    default: undefined,
    defaultText: '`otlp` where an endpoint is set, otherwise `none`',
    description:
      'Where traces go: to a receiver by OTLP over HTTP, to standard error as trees of lines for whoever develops, or nowhere. With `none` nothing is traced and nothing of OpenTelemetry is loaded.',
  },
  endpoint: {
    type: endpoint,
    environment: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    default: undefined,
    defaultText: '`http://localhost:4318` where the exporter is `otlp`',
    description: 'Base address of the receiver; `/v1/traces` is appended. A collector beside the server is the usual one.',
  },
  tracesEndpoint: {
    type: endpoint,
    environment: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    default: undefined,
    defaultText: 'from the one above',
    description: 'Address of the receiver as it is, nothing appended.',
  },
  headers: {
    secret: true,
    environment: 'OTEL_EXPORTER_OTLP_HEADERS',
    expected: '`name=value` pairs with commas between them, percent-encoded',
    accepts: isHeaderList,
    description: 'Headers of every export, such as `authorization=Bearer%20…`.',
  },
  protocol: {
    type: choice(['http/protobuf', 'http/json']),
    environment: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    default: 'http/protobuf',
    description: 'Encoding. JSON takes twice the bytes, and can be read. There is no gRPC: collectors take HTTP at port 4318.',
  },
  compression: {
    type: choice(['none', 'gzip']),
    environment: 'OTEL_EXPORTER_OTLP_COMPRESSION',
    default: 'none',
    description: 'Worth it where the receiver is in another network.',
  },
  timeoutMs: {
    type: integer(100, 300_000),
    environment: 'OTEL_EXPORTER_OTLP_TIMEOUT',
    default: 10_000,
    description: 'Milliseconds that the receiver has for an answer. A batch is tried six times in all.',
  },
  sampler: {
    type: choice([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ]),
    environment: 'OTEL_TRACES_SAMPLER',
    default: 'parentbased_always_on',
    description:
      'Which traces are kept from the beginning on. Those by parent do as the caller does, where there is one. Under load use `parentbased_traceidratio`.',
  },
  ratio: {
    type: decimal(0, 1),
    environment: 'OTEL_TRACES_SAMPLER_ARG',
    default: 1,
    description: 'Share of the traces that samplers by ratio keep.',
  },
  keepFailedAndSlow: {
    type: flag,
    environment: 'HOLDFAST_TRACE_KEEP_FAILED_AND_SLOW',
    default: true,
    description: 'Keeps requests that failed (5xx, broken streams) or were slow whatever the sampler said at their beginning.',
  },
  slowMs: {
    type: integer(1, 86_400_000),
    environment: 'HOLDFAST_TRACE_SLOW_MS',
    default: 10_000,
    description: 'From how many milliseconds on a request is slow. Long answers of models are: raise it where they are common.',
  },
  slowOverheadMs: {
    type: integer(1, 86_400_000),
    environment: 'HOLDFAST_TRACE_SLOW_OVERHEAD_MS',
    default: 500,
    description: "The same of the server's own share: of a call of a model without its provider, of other requests, and of a statement.",
  },
  incoming: {
    type: choice(['continue', 'link', 'ignore']),
    environment: 'HOLDFAST_TRACE_INCOMING',
    default: 'continue',
    description:
      "What a caller's `traceparent` is: the trace to `continue`, one to `link` to from a trace of our own, or nothing. Use `link` where callers are not yours: otherwise they choose ids, and which traces you keep.",
  },
  captureContent: {
    type: flag,
    environment: 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT',
    default: false,
    description:
      'Puts what was said in calls of models into their spans, masked. Masking finds forms, not meanings: think of who reads traces.',
  },
  serviceName: {
    type: text('a name', /^[\x20-\x7e]{1,255}$/),
    environment: 'OTEL_SERVICE_NAME',
    default: 'holdfast',
    description: 'What the receiver calls this server. All instances have the same.',
  },
  resourceAttributes: {
    type: attributes,
    environment: 'OTEL_RESOURCE_ATTRIBUTES',
    default: undefined,
    defaultText: 'none',
    description: 'What else is said of this server with every span, such as `deployment.environment.name=production`.',
  },
  maxQueueSize: {
    type: integer(1, 1_000_000),
    environment: 'OTEL_BSP_MAX_QUEUE_SIZE',
    default: 8_192,
    description: 'Spans that may wait to be sent, of about 2 kB each. What comes beyond is dropped and counted.',
  },
  maxBatchSize: {
    type: integer(1, 10_000),
    environment: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    default: 512,
    description: 'Spans in one export.',
  },
  scheduleDelayMs: {
    type: integer(1, 600_000),
    environment: 'OTEL_BSP_SCHEDULE_DELAY',
    default: 5_000,
    description: 'Milliseconds for which spans wait for company.',
  },
} as const satisfies SettingSection;
