import type { HttpRequestFinished } from '../../events/index.ts';
import type { Exposition } from './exposition.ts';
import { createHistogram, observe, secondsBuckets } from './histogram.ts';
import { SeriesTable } from './series-table.ts';

/** Methods that may become a label: a client can send any word at all. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const statusClasses = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** HTTP by route pattern, never by path. */
export class HttpMetrics {
  readonly #requests = new SeriesTable(['method', 'route', 'status_class'], () => ({
    duration: createHistogram(secondsBuckets.http),
    count: 0,
    requestBytes: 0,
    responseBytes: 0,
  }));
  readonly #errors = new SeriesTable(['category', 'code'], () => ({ count: 0 }));
  // One array for all lookups: it is read and forgotten before the next.
  readonly #labels = ['', '', ''];

  record(event: HttpRequestFinished): void {
    const labels = this.#labels;
    labels[0] = methods.has(event.method) ? event.method : 'other';
    labels[1] = event.route ?? 'unmatched';
    labels[2] = statusClasses[Math.trunc(event.status / 100)] ?? 'other';
    const series = this.#requests.at(labels);
    series.count++;
    series.requestBytes += event.requestBytes;
    series.responseBytes += event.responseBytes;
    observe(series.duration, secondsBuckets.http, event.latencyMs / 1_000);
    if (event.errorCode !== undefined) this.#errors.at([event.errorCategory ?? 'internal', event.errorCode]).count++;
  }

  expose(to: Exposition): void {
    to.counter('holdfast_http_requests_total', 'HTTP requests that ended, by route pattern.', this.#requests, ({ count }) => count);
    to.histogram(
      'holdfast_http_request_duration_seconds',
      'From the arrival of a request to the end of its answer.',
      this.#requests,
      secondsBuckets.http,
      ({ duration }) => duration,
    );
    to.counter(
      'holdfast_http_request_bytes_total',
      'Bytes received, headers included.',
      this.#requests,
      ({ requestBytes }) => requestBytes,
    );
    to.counter('holdfast_http_response_bytes_total', 'Bytes sent, headers included.', this.#requests, ({ responseBytes }) => responseBytes);
    to.counter(
      'holdfast_errors_total',
      'Requests that ended in an error, by category and code of the error table.',
      this.#errors,
      ({ count }) => count,
    );
  }
}
