import { HoldfastError } from '../../../../src/errors/index.ts';
import { createSeededRandom } from '../../../../src/testing/index.ts';
import { describe, expect, test } from 'vitest';
import { start, setUp, failureOf } from './attempts.ts';

describe('faults', () => {
  test.each([
    ['status=400', { code: 'provider_rejected_request', upstreamStatus: 400, details: { provider_message: expect.any(String) as string } }],
    ['status=400&reason=context_length', { code: 'context_length_exceeded' }],
    ['status=400&reason=content_filter', { code: 'content_filtered' }],
    ['status=401', { code: 'provider_auth_failed', upstreamStatus: 401, details: undefined }],
    ['status=404', { code: 'model_unsuited', upstreamStatus: 404 }],
    ['status=429&retryAfterS=2', { code: 'provider_rate_limited', upstreamStatus: 429, retryAfterSeconds: 2 }],
    ['status=500', { code: 'provider_failed', upstreamStatus: 500 }],
    ['status=503&retryAfterS=0.5', { code: 'provider_overloaded', retryAfterSeconds: 0.5 }],
    ['status=529', { code: 'provider_overloaded', upstreamStatus: 529 }],
  ])('%s is the error of a real provider, for every operation', async (query, expected) => {
    const { provider } = setUp();
    for (const [operation, body] of [
      ['chat', { stream: true }],
      ['chat', {}],
      ['embeddings', { input: 'a' }],
      ['count_tokens', {}],
    ] as const) {
      const started = start(provider, `demo?${query}`, body, { operation });
      expect(await failureOf(started)).toMatchObject(expected);
      expect(started.sink.calls).toEqual(['connected']);
    }
  });

  test('errorRate is a matter of chance, and of the chance that is passed in', async () => {
    const { provider } = setUp({ random: createSeededRandom(3) });
    let failures = 0;
    for (let call = 0; call < 200; call++) await start(provider, 'demo?status=500&errorRate=0.25').result.catch(() => failures++);
    expect(failures).toBeGreaterThan(25);
    expect(failures).toBeLessThan(75);
    await expect(start(provider, 'demo?status=500&errorRate=0').result).resolves.toBeDefined();
  });

  test.each([
    ['cutAfter=2', 'stream_cut'],
    ['malformedAfter=2', 'provider_malformed'],
  ])('%s fails after two tokens of a stream, and knows what had gone out', async (query, code) => {
    const { provider } = setUp();
    const started = start(provider, `echo?${query}`, { stream: true, messages: [{ role: 'user', content: 'one two three' }] });
    expect(await failureOf(started)).toMatchObject({
      code,
      partial: { outputBytes: 'one two'.length, servedModel: 'echo', usage: undefined },
    });
    expect(started.sink.bytes).toHaveLength(2);
    expect(await failureOf(start(provider, `demo?${query}`))).toMatchObject({ code });
  });

  test('a fault takes place also when the answer is shorter', async () => {
    const { provider } = setUp();
    const started = start(provider, 'echo?cutAfter=1000', { stream: true });
    expect(await failureOf(started)).toMatchObject({ code: 'stream_cut' });
    expect(started.sink.bytes).toHaveLength(2);
  });

  test('a stall ends by nothing but its cancellation', async () => {
    const { clock, provider } = setUp();
    const started = start(provider, 'echo?stallAfter=1', { stream: true });
    let settled = false;
    started.result.then(() => (settled = true)).catch(() => (settled = true));
    await clock.advanceAsync(10_000_000);
    expect([settled, started.sink.bytes.length]).toEqual([false, 1]);
    started.cancellation.cancel(new HoldfastError('stream_stalled'));
    expect(await failureOf(started)).toMatchObject({ code: 'stream_stalled', partial: { outputBytes: 4 } });
  });
});
