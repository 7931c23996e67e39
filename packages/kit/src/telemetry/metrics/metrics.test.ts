import { describe, expect, test } from 'vitest';
import { announcedCall as call, announcedRequest as request } from '../../../test/support/announcements.ts';
import { httpRequestFinished } from '../../events/index.ts';
import { callFinished, targetChosen } from '../../llm/spec/index.ts';
import { breakerChanged, callRejected, hedgeFinished } from '../../resilience/index.ts';
import { abuseDetected } from '../../security/index.ts';
import { createMetrics } from './index.ts';

/** Samples by name and labels, as Prometheus would read them. Fails on a line that is none of the format. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ') || line.startsWith('# TYPE ')) continue;
    const match = /^([a-z_:][a-z0-9_:]*(?:\{(?:[a-z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})?) (\S+)$/i.exec(line);
    // Not `expect`, which costs seconds over so many lines.
    if (!match || samples.has(match[1]!)) throw new Error(`no line of the format, or there twice: ${line}`);
    samples.set(match[1]!, Number(match[2]));
  }
  return samples;
}

const chat = 'operation="chat",provider="primary",model="fast"';
const route = 'method="POST",route="/v1/chat/completions",status_class="2xx"';

test('a request is counted, timed and weighed by route pattern', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.recordRequest(request);
  metrics.recordRequest({ ...request, latencyMs: 700 });
  const samples = parse(await metrics.scrape());
  expect(samples.get(`holdfast_http_requests_total{${route}}`)).toBe(2);
  expect(samples.get(`holdfast_http_request_duration_seconds_bucket{${route},le="0.025"}`)).toBe(0);
  expect(samples.get(`holdfast_http_request_duration_seconds_bucket{${route},le="0.05"}`)).toBe(1);
  expect(samples.get(`holdfast_http_request_duration_seconds_bucket{${route},le="1"}`)).toBe(2);
  expect(samples.get(`holdfast_http_request_duration_seconds_bucket{${route},le="+Inf"}`)).toBe(2);
  expect(samples.get(`holdfast_http_request_duration_seconds_count{${route}}`)).toBe(2);
  expect(samples.get(`holdfast_http_request_duration_seconds_sum{${route}}`)).toBeCloseTo(0.73);
  expect(samples.get(`holdfast_http_request_bytes_total{${route}}`)).toBe(600);
  expect(samples.get(`holdfast_http_response_bytes_total{${route}}`)).toBe(1800);
});

test('an observation on a bound belongs to its bucket', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.recordRequest({ ...request, latencyMs: 50 });
  const samples = parse(await metrics.scrape());
  expect(samples.get(`holdfast_http_request_duration_seconds_bucket{${route},le="0.05"}`)).toBe(1);
  expect(samples.get(`holdfast_http_request_duration_seconds_bucket{${route},le="0.025"}`)).toBe(0);
});

test('errors are counted by category and code', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.recordRequest({ ...request, status: 429, errorCode: 'provider_rate_limited', errorCategory: 'rate_limit' });
  expect(parse(await metrics.scrape()).get('holdfast_errors_total{category="rate_limit",code="provider_rate_limited"}')).toBe(1);
});

test('a call is counted with its tokens, cost, times and attempts', async () => {
  const metrics = createMetrics({ processMetrics: false, isKnownModel: (name) => name === 'fast' });
  metrics.recordCall(call);
  const samples = parse(await metrics.scrape());
  expect(samples.get(`holdfast_llm_calls_total{${chat},outcome="completed"}`)).toBe(1);
  expect(samples.get(`holdfast_llm_call_duration_seconds_sum{${chat},outcome="completed"}`)).toBeCloseTo(0.9);
  expect(samples.get(`holdfast_llm_first_token_seconds_count{${chat}}`)).toBe(1);
  expect(samples.get(`holdfast_llm_overhead_seconds_bucket{${chat},le="0.0003"}`)).toBe(1);
  expect(samples.get(`holdfast_llm_overhead_seconds_bucket{${chat},le="0.0002"}`)).toBe(0);
  expect(samples.get(`holdfast_llm_attempts_total{${chat}}`)).toBe(2);
  expect(samples.get(`holdfast_llm_tokens_total{${chat},kind="prompt"}`)).toBe(100);
  expect(samples.get(`holdfast_llm_tokens_total{${chat},kind="completion"}`)).toBe(20);
  expect(samples.get(`holdfast_llm_tokens_total{${chat},kind="cached"}`)).toBe(40);
  expect(samples.get(`holdfast_llm_tokens_total{${chat},kind="reasoning"}`)).toBe(5);
  expect(samples.get(`holdfast_llm_cost_usd_total{${chat}}`)).toBe(1.5);
  expect(samples.get(`holdfast_llm_unpriced_calls_total{${chat}}`)).toBe(0);
});

test('a call whose price is unknown is counted as such, never as free', async () => {
  const metrics = createMetrics({ processMetrics: false, isKnownModel: () => true });
  metrics.recordCall({ ...call, costNanoUsd: null });
  const samples = parse(await metrics.scrape());
  expect(samples.get(`holdfast_llm_unpriced_calls_total{${chat}}`)).toBe(1);
  expect(samples.get(`holdfast_llm_cost_usd_total{${chat}}`)).toBe(0);
});

test('choices of targets and ends of hedges are counted from their channels', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const stop = metrics.listen();
  targetChosen.publish({ model: 'fast', strategy: 'latency', target: 'primary/gpt-4o-mini' });
  targetChosen.publish({ model: 'fast', strategy: 'latency', target: 'primary/gpt-4o-mini' });
  hedgeFinished.publish({ name: 'fast', winner: 'second' });
  hedgeFinished.publish({ name: 'fast', winner: undefined });
  stop();
  hedgeFinished.publish({ name: 'fast', winner: 'second' });
  const samples = parse(await metrics.scrape());
  expect(samples.get('holdfast_llm_target_choices_total{model="fast",strategy="latency",target="primary/gpt-4o-mini"}')).toBe(2);
  expect(samples.get('holdfast_hedges_total{name="fast",winner="second"}')).toBe(1);
  expect(samples.get('holdfast_hedges_total{name="fast",winner="none"}')).toBe(1);
});

test('what detectors of abuse find is counted by detector, and never by whom they found', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const stop = metrics.listen();
  const finding = { kind: 'endpoint_scanning', advice: 'ban', subject: null, evidence: {}, ban: undefined } as const;
  for (const client of ['203.0.113.7', '203.0.113.8']) abuseDetected.publish({ ...finding, client });
  stop();
  const text = await metrics.scrape();
  expect(parse(text).get('holdfast_abuse_events_total{detector="endpoint_scanning"}')).toBe(2);
  expect(text).not.toContain('203.0.113');
});

describe('cardinality', () => {
  test('model names that clients make up share one label', async () => {
    const metrics = createMetrics({ processMetrics: false, isKnownModel: (name) => name === 'fast' });
    for (let index = 0; index < 5_000; index++) metrics.recordCall({ ...call, modelAsked: `made-up-${index}` });
    const text = await metrics.scrape();
    expect(text).not.toContain('made-up');
    expect(parse(text).get('holdfast_llm_calls_total{operation="chat",provider="primary",model="other",outcome="completed"}')).toBe(5_000);
  });

  test('a table never grows past its bound, and what is past it is still counted', async () => {
    const metrics = createMetrics({ processMetrics: false, isKnownModel: () => true });
    for (let index = 0; index < 3_000; index++) metrics.recordCall({ ...call, modelAsked: `known-${index}` });
    const samples = parse(await metrics.scrape());
    const calls = [...samples].filter(([name]) => name.startsWith('holdfast_llm_calls_total'));
    expect(calls.length).toBe(2_001);
    expect(calls.reduce((sum, [, count]) => sum + count, 0)).toBe(3_000);
  });

  test('methods and paths that clients make up share one label', async () => {
    const metrics = createMetrics({ processMetrics: false });
    for (let index = 0; index < 100; index++)
      metrics.recordRequest({ ...request, method: `X${index}`, route: undefined, path: `/scan/${index}`, status: 404 });
    expect(parse(await metrics.scrape()).get('holdfast_http_requests_total{method="other",route="unmatched",status_class="4xx"}')).toBe(
      100,
    );
  });
});

test('labels are escaped', async () => {
  const metrics = createMetrics({ processMetrics: false, isKnownModel: () => true });
  metrics.recordCall({ ...call, modelAsked: 'a"b\\c\nd' });
  const text = await metrics.scrape();
  parse(text);
  expect(text).toContain(String.raw`model="a\"b\\c\nd"`);
});

const definition = { name: 'holdfast_test_total', type: 'counter', help: 'Of this test.', labels: { result: '' }, example: '' } as const;

test('a metric of the server counts, and its name is taken once', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const reloads = metrics.addCounter(definition);
  reloads.add(0, { result: 'rejected' });
  reloads.add(2, { result: 'applied' });
  metrics.addGauges({ ...definition, name: 'holdfast_test_state', type: 'gauge' }, () => [
    ['a', 1],
    [['b'], 2],
    ['a', 3],
  ]);
  const samples = parse(await metrics.scrape());
  expect(samples.get('holdfast_test_total{result="applied"}')).toBe(2);
  expect(samples.get('holdfast_test_total{result="rejected"}')).toBe(0);
  expect(samples.get('holdfast_test_state{result="a"}')).toBe(1);
  expect(samples.get('holdfast_test_state{result="b"}')).toBe(2);
  expect(() => metrics.addCounter(definition)).toThrow(/of this name already/);
  expect(() => metrics.addCounter({ ...definition, name: 'foreign_total' })).toThrow(/begins with `holdfast_`/);
});

test('a gauge that cannot be read takes no other metric with it, and is told', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.addGauge({ ...definition, name: 'holdfast_test_broken', type: 'gauge', labels: {} }, () => {
    throw new Error('broken');
  });
  metrics.recordRequest(request);
  const samples = parse(await metrics.scrape());
  expect(samples.get(`holdfast_http_requests_total{${route}}`)).toBe(1);
  expect(samples.get('holdfast_metrics_rejected_total{metric="holdfast_test_broken"}')).toBe(1);
});

test('process and event loop are there, every name is ours, and every family has help and type', async () => {
  const metrics = createMetrics();
  const stop = metrics.listen();
  metrics.addGauge({ ...definition, name: 'holdfast_http_open_connections', type: 'gauge', labels: {} }, () => 7);
  metrics.recordRequest(request);
  metrics.recordProcessFault('uncaught_exception');
  const text = await metrics.scrape();
  stop();
  const samples = parse(text);
  expect(samples.get('holdfast_http_open_connections')).toBe(7);
  expect(samples.get('holdfast_process_faults_total{fault="uncaught_exception"}')).toBe(1);
  expect(samples.get('holdfast_process_resident_memory_bytes')).toBeGreaterThan(0);
  expect(samples.get('holdfast_nodejs_eventloop_active_seconds_total')).toBeGreaterThan(0);
  expect(samples.get('holdfast_nodejs_heap_size_limit_bytes')).toBeGreaterThan(samples.get('holdfast_nodejs_heap_size_used_bytes')!);
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  for (const [, name, type] of families) {
    expect(name).toMatch(/^holdfast_/);
    expect(text).toContain(`# HELP ${name} `);
    if (type === 'counter') expect(name).toMatch(/_total$/);
  }
  expect(new Set(families.map(([, name]) => name)).size).toBe(families.length);
});

test('what the channels announce is counted until listening ends', async () => {
  const metrics = createMetrics({ processMetrics: false, isKnownModel: () => true });
  const stop = metrics.listen();
  callFinished.publish(call);
  httpRequestFinished.publish(request);
  stop();
  callFinished.publish(call);
  httpRequestFinished.publish(request);
  const samples = parse(await metrics.scrape());
  expect(samples.get(`holdfast_llm_calls_total{${chat},outcome="completed"}`)).toBe(1);
  expect(samples.get(`holdfast_http_requests_total{${route}}`)).toBe(1);
});

test('changes and refusals of breakers are counted, those of names that clients choose together', async () => {
  const metrics = createMetrics({ processMetrics: false, isKnownBreaker: (name) => name === 'primary/fast' });
  const stop = metrics.listen();
  const opened = { from: 'closed', to: 'open', reason: 'failures', recoveryMs: 60_000 } as const;
  breakerChanged.publish({ name: 'primary/fast', ...opened });
  for (let index = 0; index < 1_000; index++) breakerChanged.publish({ name: `primary/made-up-${index}`, ...opened });
  for (const policy of ['breaker', 'breaker', 'bulkhead'] as const) callRejected.publish({ name: 'primary/fast', policy, reason: 'open' });
  callRejected.publish({ name: 'primary/made-up', policy: 'breaker', reason: 'probing' });
  stop();
  const samples = parse(await metrics.scrape());
  const changes = 'holdfast_circuit_breaker_transitions_total';
  expect(samples.get(`${changes}{breaker="primary/fast",to="open",reason="failures"}`)).toBe(1);
  expect(samples.get(`${changes}{breaker="other",to="open",reason="failures"}`)).toBe(1_000);
  expect(samples.get('holdfast_circuit_breaker_rejections_total{breaker="primary/fast"}')).toBe(2);
  expect(samples.get('holdfast_circuit_breaker_rejections_total{breaker="other"}')).toBe(1);
});
