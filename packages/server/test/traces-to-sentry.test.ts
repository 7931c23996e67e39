import { httpRequestFinished, type RequestTrace } from '@holdfast/kit/events';
import { createLogger } from '@holdfast/kit/telemetry';
import { systemClock as clock, systemRandom as random } from '@holdfast/kit/time';
import { expect, onTestFinished, test } from 'vitest';
import { startOtlpReceiver } from '../../../test/support/otlp-receiver.ts';
import { openTracing } from '../src/composition/index.ts';
import { sentryTraceReceiver } from '../src/composition/sentry-traces.ts';
import { loadConfiguration } from '../src/config/index.ts';

async function open(env: Readonly<Record<string, string>>) {
  const log = await createLogger({ clock, sink: { write() {} } });
  const configuration = loadConfiguration({ env, cwd: import.meta.dirname });
  return openTracing({ configuration, version: '1.2.3', clock, random, log, metrics: undefined });
}

function end(trace: RequestTrace, status: number): void {
  httpRequestFinished.publish({
    ...{
      requestId: `r${status}`,
      method: 'GET',
      route: '/api/keys',
      path: '/api/keys',
      status,
      latencyMs: 1,
      requestBytes: 1,
      responseBytes: 1,
    },
    ...{ client: '[ip]', organizationId: undefined, keyId: undefined, userId: undefined, errorCategory: undefined, notes: undefined },
    errorCode: status === 500 ? 'internal_error' : undefined,
    traceId: trace.traceId,
    trace,
  });
}

test('the address of traces follows from the DSN, also below a path', () => {
  expect(sentryTraceReceiver('https://publickey@o1.ingest.us.sentry.io/4505')).toEqual({
    url: 'https://o1.ingest.us.sentry.io/api/4505/integration/otlp/v1/traces',
    headers: { 'x-sentry-auth': 'sentry sentry_key=publickey' },
  });
  expect(sentryTraceReceiver('http://k:old@sentry.internal:9000/tools/sentry/7').url).toBe(
    'http://sentry.internal:9000/tools/sentry/api/7/integration/otlp/v1/traces',
  );
});

test('Sentry gets its share of the traces, what failed besides, and what a caller keeps', async () => {
  const receiver = await startOtlpReceiver('/api/42/integration/otlp/v1/traces');
  onTestFinished(() => receiver.close());
  const dsn = receiver.url.replace('://', '://publickey@');
  const tracing = await open({ SENTRY_DSN: `${dsn}/42`, SENTRY_TRACES_SAMPLE_RATE: '0.5' });
  const began = Array.from({ length: 400 }, () => tracing!.begin({}));
  const share = began.filter(({ sampled }) => sampled).length;
  expect(share).toBeGreaterThan(140);
  expect(share).toBeLessThan(260);
  const kept = tracing!.begin({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
  const failed = began.find(({ sampled }) => !sampled)!;
  const left = began.findLast(({ sampled }) => !sampled)!;
  end(kept, 200);
  end(failed, 500);
  end(left, 200);
  await tracing!.close();
  expect(receiver.spans.map(({ traceId }) => traceId)).toEqual([kept.traceId, failed.traceId]);
  expect(receiver.exports[0]!.headers['x-sentry-auth']).toBe('sentry sentry_key=publickey');
});

test.each([
  ['no share', { SENTRY_DSN: 'http://publickey@127.0.0.1:9/42' }],
  ['no DSN', { SENTRY_TRACES_SAMPLE_RATE: '1' }],
  ['tracing switched off', { SENTRY_DSN: 'http://publickey@127.0.0.1:9/42', SENTRY_TRACES_SAMPLE_RATE: '1', OTEL_SDK_DISABLED: 'true' }],
])('with %s nothing is traced for it', async (_which, env) => {
  expect(await open(env)).toBeUndefined();
});
