import { afterAll, beforeAll, expect, test } from 'vitest';
import { conventionFaults } from '../../../../test/support/check-conventions.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../../../../test/support/otlp-receiver.ts';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

let receiver: OtlpReceiver;
let gateway: Gateway;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  gateway = await startGateway({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a%20b',
      OTEL_SERVICE_NAME: 'gateway',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_BSP_SCHEDULE_DELAY: '20',
    },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await receiver?.close();
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

test('SIGTERM sends what is left before the end', async () => {
  const slow = await startOtlpReceiver();
  const server = await startGateway({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: slow.url, OTEL_BSP_SCHEDULE_DELAY: '600000' } });
  const id = requestId();
  await server.openai.chat.completions.create(ask, { headers: { 'x-request-id': id } });
  await server.fetch('/api/keys');
  expect(slow.exports).toEqual([]);
  await server.stop();
  expect(slow.spans.filter(({ kind }) => kind === 'server').map(({ attributes }) => attributes['http.route'])).toEqual(
    expect.arrayContaining(['/v1/chat/completions', '/api/keys']),
  );
  await slow.close();
});
