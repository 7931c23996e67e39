import { startScriptedUpstream, type ScriptedUpstream } from '@holdfast/kit/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conventionFaults } from '../../../../test/support/check-conventions.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../../../../test/support/otlp-receiver.ts';
import { startSentryReceiver, type SentryReceiver } from '../../../../test/support/sentry-receiver.ts';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

let receiver: OtlpReceiver;
let sentry: SentryReceiver;
/** A provider that is told the trace of its requests. */
let own: ScriptedUpstream;
let gateway: Gateway;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  sentry = await startSentryReceiver();
  own = await startScriptedUpstream();
  gateway = await startGateway({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a%20b',
      OTEL_SERVICE_NAME: 'gateway',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      // Each span goes as soon as the one before it is through: nothing waits for the clock.
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1',
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      SENTRY_DSN: sentry.dsn,
      SENTRY_ENVIRONMENT: 'staging',
      HOLDFAST_SENTRY_CATEGORIES: 'internal,ai_service',
    },
    providers: { own: { kind: 'openai', baseUrl: own.openaiBaseUrl, apiKey: 'sk-own', traceContext: true } },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await receiver?.close();
  await sentry?.close();
  await own?.close();
});

/** All spans of the request with this id. */
async function traceOf(id: string): Promise<readonly ReceivedSpan[]> {
  return receiver.traceOf(({ attributes }) => attributes['holdfast.request_id'] === id);
}

const ask = { model: 'fast', messages: [{ role: 'user' as const, content: 'Tell mary@example.com' }] };

test('a stream is a trace of the caller, with the request to the provider by the GenAI conventions', async () => {
  const id = requestId();
  const stream = await gateway.openai.chat.completions.create(
    { ...ask, stream: true, max_tokens: 50, temperature: 1 },
    { headers: { 'x-request-id': id, traceparent, tracestate: 'vendor=1' } },
  );
  for await (const _chunk of stream);
  const spans = await traceOf(id);
  const root = spans.find(({ kind }) => kind === 'server')!;
  const attempt = spans.find(({ kind }) => kind === 'client')!;
  expect(root).toMatchObject({
    name: 'POST /v1/chat/completions',
    traceId,
    parentSpanId: 'b7ad6b7169203331',
    traceState: 'vendor=1',
    resource: { 'service.name': 'gateway', 'deployment.environment.name': 'test' },
  });
  expect(attempt).toMatchObject({ name: 'chat gpt-4o-mini', traceId, parentSpanId: root.spanId });
  expect(attempt.attributes).toMatchObject({
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.stream': true,
    'gen_ai.request.max_tokens': 50,
    'gen_ai.response.finish_reasons': ['stop'],
    'holdfast.provider': 'primary',
    'holdfast.attempt': 1,
  });
  expect(attempt.attributes['gen_ai.response.time_to_first_chunk']).toBeGreaterThan(0);
  expect(attempt.attributes['gen_ai.usage.output_tokens']).toBeGreaterThan(0);
  expect(attempt.startNanos).toBeGreaterThanOrEqual(root.startNanos);
  expect(attempt.endNanos).toBeLessThanOrEqual(root.endNanos);
  expect(receiver.exports.at(-1)!.headers['x-tenant']).toBe('a b');
});

test('each target that was tried has its span, and providers are told of none', async () => {
  const id = requestId();
  await gateway.openai.chat.completions.create({ ...ask, model: 'spare' }, { headers: { 'x-request-id': id } });
  const attempts = (await traceOf(id)).filter(({ name }) => name.startsWith('chat '));
  expect(attempts.map(({ failed, attributes }) => [failed, attributes['holdfast.provider'], attributes['error.type']])).toEqual([
    [true, 'down', 'provider_unreachable'],
    [false, 'primary', undefined],
  ]);
  expect(gateway.upstream.calls.at(-1)!.headers['traceparent']).toBeUndefined();
});

test('a provider that is to know is told its own span, and no other header of ours or of the caller', async () => {
  const id = requestId();
  await gateway.openai.chat.completions.create(
    { ...ask, model: 'own/m' },
    { headers: { 'x-request-id': id, traceparent, tracestate: 'vendor=1', baggage: 'user=mary' } },
  );
  const attempt = (await traceOf(id)).find(({ name }) => name === 'chat m')!;
  const { headers } = own.calls.at(-1)!;
  expect(headers['traceparent']).toBe(`00-${traceId}-${attempt.spanId}-01`);
  expect([headers['tracestate'], headers['baggage']]).toEqual([undefined, undefined]);
});

test('statements of a request to the API hang below it', async () => {
  const id = requestId();
  await gateway.fetch('/api/keys', { headers: { 'x-request-id': id } });
  const spans = await traceOf(id);
  const root = spans.find(({ kind }) => kind === 'server')!;
  const statements = spans.filter(({ attributes }) => attributes['db.system.name'] === 'postgresql');
  expect(statements.length).toBeGreaterThan(0);
  for (const statement of statements) expect(statement).toMatchObject({ kind: 'client', parentSpanId: root.spanId });
});

test('an error tells its trace, in every shape, and so do the lines of the log', async () => {
  const bodies: unknown[] = [];
  for (const path of ['/v1/chat/completions', '/v1/messages', '/api/nothing']) {
    const answer = await gateway.fetch(path, { method: 'POST', body: '{"model":"none","messages":[]}', headers: { traceparent } });
    bodies.push(await answer.json());
  }
  expect(bodies).toMatchObject([{ error: { trace_id: traceId } }, { trace_id: traceId }, { error: { trace_id: traceId } }]);
  await expect.poll(() => gateway.server.output()).toContain(`"trace_id":"${traceId}"`);
});

test('what a hostile caller sends as its context is neither kept nor passed on', async () => {
  const answer = await gateway.fetch('/api/nothing', { headers: { traceparent: `${traceparent}-<script>`, tracestate: 'A=1' } });
  const { error } = (await answer.json()) as { error: { trace_id: string } };
  expect(error.trace_id).toMatch(/^[0-9a-f]{32}$/);
  expect(error.trace_id).not.toBe(traceId);
});

test('health and metrics have no traces; everything that has one keeps to the conventions, and says nothing of what was said', async () => {
  await gateway.fetch('/health/ready');
  await gateway.openai.embeddings.create({ model: 'embed', input: 'mary@example.com' });
  await gateway.anthropic.messages.create({ model: 'smart', max_tokens: 9, messages: ask.messages });
  const id = requestId();
  await gateway.fetch('/api/mary@example.com', { headers: { 'x-request-id': id, 'user-agent': 'mary-browser' } });
  await traceOf(id);
  await receiver.traceOf(({ attributes }) => attributes['http.route'] === '/v1/messages');
  await receiver.traceOf(({ attributes }) => attributes['http.route'] === '/v1/embeddings');
  expect(receiver.spans.flatMap((span) => conventionFaults(span))).toEqual([]);
  const text = JSON.stringify(receiver.spans, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  for (const secret of ['mary@', 'mary-browser', '/health', 'sk-upstream', gateway.server.key]) expect(text).not.toContain(secret);
});

test('an error of a kind that is reported is, with its trace and a user without a name', async () => {
  const id = requestId();
  const answer = await gateway.fetch('/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ ...ask, model: 'lonely' }),
    headers: { 'x-request-id': id, traceparent },
  });
  expect(answer.status).toBe(502);
  await sentry.received(1);
  const event = sentry.events.find(({ tags }) => tags.request_id === id);
  expect(event).toMatchObject({
    environment: 'staging',
    release: expect.stringMatching(/^holdfast@/),
    tags: { code: 'provider_unreachable', category: 'ai_service', route: '/v1/chat/completions' },
    contexts: { trace: { trace_id: traceId } },
    user: { id: expect.stringMatching(/^[0-9a-f]{16}$/) },
  });
  const text = JSON.stringify(sentry.envelopes);
  for (const secret of ['mary@', 'sk-down', gateway.server.key]) expect(text).not.toContain(secret);
});

test('what became of spans and reports is in the metrics', async () => {
  await expect.poll(async () => (await gateway.fetch('/metrics')).text()).toMatch(/holdfast_trace_spans_total\{outcome="exported"\} [1-9]/);
  expect(await (await gateway.fetch('/metrics')).text()).toContain('holdfast_error_reports_total{outcome="reported"} ');
});

test('a metric leads to a trace: its buckets have examples, by OpenMetrics', async () => {
  const example = 'c0ffee1916cd43dd8448eb211c80319c';
  const headers = { traceparent: `00-${example}-b7ad6b7169203331-01` };
  await gateway.openai.chat.completions.create(ask, { headers });
  const scrape = async (accept: string) => (await gateway.fetch('/metrics', { headers: { accept } })).text();
  const openMetrics = await scrape('application/openmetrics-text; version=1.0.0');
  for (const metric of ['holdfast_http_request_duration_seconds_bucket', 'holdfast_llm_call_duration_seconds_bucket'])
    expect(openMetrics).toMatch(new RegExp(`^${metric}\\{.*\\} \\d+ # \\{trace_id="${example}"\\} `, 'm'));
  expect(await scrape('text/plain')).not.toContain(example);
});

test('SIGTERM sends what is left before the end', async () => {
  const id = requestId();
  receiver.answerWith({ status: 503, headers: { 'retry-after': '0' } }, {});
  await gateway.fetch('/api/keys', { headers: { 'x-request-id': id } });
  expect(await gateway.server.stop()).toBe(0);
  const spans = await traceOf(id);
  expect(spans.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['server', 'client']));
});
