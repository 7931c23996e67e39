import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { requestId, startGateway, type Gateway } from './fixture.ts';

// The rules themselves are tested by test/faults; here a configuration file, a database and a client stand around them.

let gateway: Gateway;
const messages = [{ role: 'user' as const, content: 'hi' }];

beforeAll(async () => {
  const retry = { attempts: 3, firstDelayMs: 1, maxDelayMs: 2 };
  const breaker = { enabled: true, threshold: 4, recoveryMs: 3_600_000 };
  gateway = await startGateway({
    models: {
      tried: { targets: ['primary/tried'], retry, breaker },
      spared: { targets: [{ target: 'primary/down', weight: 2 }, 'primary/up'], retry, breaker },
      held: { targets: ['primary/held'], retry, holdBackMs: 200 },
    },
  });
});
afterEach(() => gateway.upstream.reset());
afterAll(() => gateway.stop());

test('what failed and was tried again is one call with one row, and a header counts its attempts', async () => {
  gateway.upstream.script('tried', [{ kind: 'error', status: 500 }, { kind: 'reset' }, {}]);
  const id = requestId();
  const { response } = await gateway.openai.chat.completions
    .create({ model: 'tried', messages }, { headers: { 'x-request-id': id } })
    .withResponse();
  expect(response.headers.get('x-holdfast-attempts')).toBe('3');
  const rows = await gateway.rowsOf(id);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ outcome: 'completed', completion_tokens: 3, usage_source: 'provider' });
  expect(rows[0]!.attempts).toMatchObject([
    { provider: 'primary', model: 'tried', outcome: 'failed', error_code: 'provider_failed' },
    { outcome: 'failed', error_code: 'stream_cut' },
    { outcome: 'completed', error_code: null },
  ]);
});

test('an SDK that would repeat is told not to, and an open breaker is met by none of its calls', async () => {
  gateway.upstream.script('down', { kind: 'error', status: 503 });
  gateway.upstream.script('up', { kind: 'error', status: 503 });
  const repeating = new OpenAI({ baseURL: `${gateway.server.url}/v1`, apiKey: gateway.server.key, maxRetries: 2 });
  const first = await repeating.chat.completions.create({ model: 'spared', messages }).catch((error: unknown) => error);
  expect(first).toMatchObject({ status: 503, code: 'provider_overloaded' });
  expect(gateway.upstream.calls).toHaveLength(6);
  // The fourth failure of each opens its breaker.
  await expect(gateway.openai.chat.completions.create({ model: 'spared', messages })).rejects.toMatchObject({
    code: 'provider_overloaded',
  });
  expect(gateway.upstream.calls).toHaveLength(8);
  const id = requestId();
  const refused = await gateway.fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { 'x-request-id': id },
    body: JSON.stringify({ model: 'spared', messages }),
  });
  expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([503, null]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_500);
  expect(await refused.json()).toMatchObject({ error: { code: 'model_unavailable' } });
  expect(gateway.upstream.calls).toHaveLength(8);
  const [row] = await gateway.rowsOf(id);
  expect(row).toMatchObject({ outcome: 'failed', error_code: 'model_unavailable', usage_source: 'none', cost_nano_usd: 0 });
  expect(row!.attempts).toMatchObject([
    { model: 'down', outcome: 'refused', error_code: 'circuit_open' },
    { model: 'up', outcome: 'refused', error_code: 'circuit_open' },
  ]);
});

test('a stream that breaks off while its beginning is held back is whole for the client, and was never seen twice', async () => {
  gateway.upstream.script('held', [{ chunks: 60, cutAfter: 41 }, { chunks: 60 }]);
  let text = '';
  for await (const chunk of await gateway.openai.chat.completions.create({ model: 'held', messages, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? '';
  }
  expect(text.split(' ')).toEqual(Array.from({ length: 60 }, (_, at) => `word${at}`));
  expect(gateway.upstream.calls).toHaveLength(2);
});
