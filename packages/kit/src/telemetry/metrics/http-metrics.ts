import type { HttpRequestFinished } from '../../events/index.ts';
import type { MetricDefinitions } from './definition.ts';
import type { Exposition } from './exposition.ts';
import { createHistogram } from './histogram.ts';
import { SeriesTable } from './series-table.ts';
import { observeMs } from './traced.ts';

const labels = {
  method: 'HTTP method; `other` for one that a client made up',
  route: 'pattern of the route, such as `/api/keys/:id`; `unmatched` where there is none',
  status_class: '`2xx`, `4xx`, `5xx` …; 499 is a client that went away',
};

export const httpMetrics = {
  requests: {
    name: 'holdfast_http_requests_total',
    type: 'counter',
    help: 'HTTP requests that ended, by route pattern.',
    labels,
    example: 'sum by (route) (rate(holdfast_http_requests_total{status_class="5xx"}[5m]))',
  },
  duration: {
    name: 'holdfast_http_request_duration_seconds',
    type: 'histogram',
    help: 'From the arrival of a request to the end of its answer.',
    labels,
    // From health routes to long streams.
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    example: 'histogram_quantile(0.95, sum by (le, route) (rate(holdfast_http_request_duration_seconds_bucket{route=~"/api/.*"}[5m])))',
  },
  requestBytes: {
    name: 'holdfast_http_request_bytes_total',
    type: 'counter',
    help: 'Bytes received, headers included.',
    labels,
    example: 'sum(rate(holdfast_http_request_bytes_total[5m]))',
  },
  responseBytes: {
    name: 'holdfast_http_response_bytes_total',
    type: 'counter',
    help: 'Bytes sent, headers included.',
    labels,
    example: 'sum(rate(holdfast_http_response_bytes_total[5m]))',
  },
  errors: {
    name: 'holdfast_errors_total',
    type: 'counter',
    help: 'Requests that ended in an error, by category and code of the error table.',
    labels: { category: "of the error table: `ai_service` are the providers', `internal` ours", code: 'of the error table' },
    example: 'sum by (category) (rate(holdfast_errors_total[5m]))',
  },
} as const satisfies MetricDefinitions;

/** Methods that may become a label: a client can send any word at all. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const statusClasses = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'];
const { buckets } = httpMetrics.duration;

/** HTTP by route pattern, never by path. */
export class HttpMetrics {
  readonly #requests = new SeriesTable(
    Object.keys(labels),
    () => ({ duration: createHistogram(buckets), count: 0, requestBytes: 0, responseBytes: 0 }),
    1_000,
  );
  readonly #errors = new SeriesTable(Object.keys(httpMetrics.errors.labels), () => ({ count: 0 }));
  // One array for all lookups: it is read and forgotten before the next.
  readonly #labels = ['', '', ''];
  readonly tables = { [httpMetrics.requests.name]: this.#requests, [httpMetrics.errors.name]: this.#errors };

  record(event: HttpRequestFinished): void {
    const values = this.#labels;
    values[0] = methods.has(event.method) ? event.method : 'other';
    values[1] = event.route ?? 'unmatched';
    values[2] = statusClasses[Math.trunc(event.status / 100)] ?? 'other';
    const series = this.#requests.at(values);
    series.count++;
    series.requestBytes += event.requestBytes;
    series.responseBytes += event.responseBytes;
    observeMs(series.duration, buckets, event.latencyMs, event);
    if (event.errorCode !== undefined) this.#errors.at([event.errorCategory ?? 'internal', event.errorCode]).count++;
  }

  expose(to: Exposition): void {
    to.counter(httpMetrics.requests, this.#requests, ({ count }) => count);
    to.histogram(httpMetrics.duration, this.#requests, ({ duration }) => duration);
    to.counter(httpMetrics.requestBytes, this.#requests, ({ requestBytes }) => requestBytes);
    to.counter(httpMetrics.responseBytes, this.#requests, ({ responseBytes }) => responseBytes);
    to.counter(httpMetrics.errors, this.#errors, ({ count }) => count);
  }
}
