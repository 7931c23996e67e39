/** One thing that can be switched off, and how. */
export interface Part {
  readonly name: string;
  readonly off: Readonly<Record<string, string>>;
  readonly on: Readonly<Record<string, string>>;
  /** For the report, what was chosen. */
  readonly says?: string;
}

/** What watches a request. Whatever has a setting of its own has a row, so that one sees which of them costs what. */
export function partsOf({ sinkPort }: { readonly sinkPort: number }): readonly Part[] {
  return [
    { name: 'log', off: { LOG_LEVEL: 'silent' }, on: { LOG_LEVEL: 'info' }, says: 'a line a request' },
    { name: 'metrics', off: { HOLDFAST_METRICS_ENABLED: 'false' }, on: { HOLDFAST_METRICS_ENABLED: 'true' } },
    {
      name: 'performance tracker',
      off: { HOLDFAST_PERFORMANCE_ENABLED: 'false', HOLDFAST_METRICS_STORED: 'false' },
      on: { HOLDFAST_PERFORMANCE_ENABLED: 'true', HOLDFAST_METRICS_STORED: 'true' },
      says: 'kept in the database by the minute',
    },
    {
      name: 'traces',
      off: { OTEL_SDK_DISABLED: 'true' },
      on: {
        OTEL_SDK_DISABLED: 'false',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sinkPort}`,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.1',
        OTEL_BSP_SCHEDULE_DELAY: '1000',
      },
      says: 'one of ten kept at random, besides those that failed or were slow',
    },
    {
      name: 'request log',
      off: { HOLDFAST_REQUEST_LOG_ENABLED: 'false' },
      on: { HOLDFAST_REQUEST_LOG_ENABLED: 'true' },
      says: 'a row a request, without content',
    },
    { name: 'reports of errors', off: {}, on: { SENTRY_DSN: `http://key@127.0.0.1:${sinkPort}/1` }, says: 'none of these calls fails' },
    {
      name: 'alerts',
      off: { HOLDFAST_ALERTS_ENABLED: 'false' },
      on: { HOLDFAST_METRICS_ENABLED: 'true', HOLDFAST_ALERTS_ENABLED: 'true' },
      says: 'with the metrics that they look at',
    },
    { name: 'health thread', off: {}, on: { HOLDFAST_HEALTH_PORT: '0' } },
  ];
}

/** The environment of a server with all of them off, but those that are named. */
export function environmentOf(parts: readonly Part[], on: ReadonlySet<string>): Record<string, string> {
  return Object.assign({}, ...parts.map((part) => part.off), ...parts.filter(({ name }) => on.has(name)).map((part) => part.on)) as Record<
    string,
    string
  >;
}
