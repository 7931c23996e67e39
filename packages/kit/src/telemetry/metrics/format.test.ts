import { expect, test } from 'vitest';
import { announcedRequest } from '../../../test/support/announcements.ts';
import { createMetrics } from './index.ts';
import { expositionFormatOf } from './format.ts';

test.each([
  [undefined, 'prometheus'],
  ['', 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/plain', 'prometheus'],
  ['application/json', 'prometheus'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
  ['application/openmetrics-text;version=2.0.0', 'prometheus'],
  ['application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4', 'prometheus'],
  ['text/plain;q=0.9, application/openmetrics-text;q=0.5', 'prometheus'],
  ['application/openmetrics-text;q=0, */*', 'prometheus'],
  ['application/openmetrics-text;q=none', 'prometheus'],
  // What Prometheus 3 sends, and Prometheus 2.
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  [`application/openmetrics-text${','.repeat(10_000)}`, 'prometheus'],
] as const)('Accept: %s', (accept, format) => {
  expect(expositionFormatOf(accept)).toBe(format);
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const trace = { traceId, spanId: '00f067aa0ba902b7', sampled: true, wantsContent: false, newSpanId: () => '00f067aa0ba902b8' };
const traced = { ...announcedRequest, trace };

test('OpenMetrics has counters by family, units, bounds as floats, exemplars, and an end', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.recordRequest(traced);
  const { contentType, body } = await metrics.respond('application/openmetrics-text');
  expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(body).toContain('# TYPE holdfast_http_requests counter\n');
  expect(body).toMatch(/^holdfast_http_requests_total\{.*\} 1$/m);
  expect(body).toContain('# UNIT holdfast_http_request_duration_seconds seconds\n');
  expect(body).toContain('# UNIT holdfast_http_request_bytes bytes\n');
  expect(body).toContain('le="1.0"}');
  expect(body).toMatch(new RegExp(`_seconds_bucket\\{.*le="0.05"\\} 1 # \\{trace_id="${traceId}"\\} 0\\.03 \\d{10}\\.\\d{3}$`, 'm'));
  expect(body.endsWith('\n# EOF\n')).toBe(true);
});

test('the older format, which would refuse them, has neither exemplars nor an end', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.recordRequest(traced);
  const { contentType, body } = await metrics.respond('text/plain');
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(body).toContain('# TYPE holdfast_http_requests_total counter\n');
  expect(body).toContain('le="1"}');
  for (const none of ['trace_id', '# EOF', '# UNIT']) expect(body).not.toContain(none);
});

test('an exemplar leads to a trace that is kept, and its id is one', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.recordRequest({ ...announcedRequest, trace: { ...trace, sampled: false } });
  metrics.recordRequest({ ...announcedRequest, trace: { ...trace, traceId: '"} 1\nfake 1' } });
  expect(await metrics.scrape('openmetrics')).not.toMatch(/ # \{|^fake/m);
});
