import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../../src/errors/index.ts';
import { createAnthropicProvider } from '../../../src/llm/providers/anthropic/index.ts';
import { createOpenaiProvider } from '../../../src/llm/providers/openai/index.ts';
import type { Provider } from '../../../src/llm/spec/index.ts';
import { createTransport, type Transport } from '../../../src/llm/transport/index.ts';
import { startScriptedUpstream, type ScriptedUpstream } from '../../../src/testing/index.ts';
import { systemClock } from '../../../src/time/index.ts';
import { attempt } from './attempt.ts';

let upstream: ScriptedUpstream;
let transport: Transport;
let providers: Record<'openai' | 'anthropic', Provider>;

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  transport = createTransport({ allowedOrigins: [upstream.url] });
  const common = { transport, clock: systemClock, baseUrl: upstream.openaiBaseUrl };
  providers = {
    openai: createOpenaiProvider({ name: 'primary', apiKeys: ['sk-one', 'sk-two'], ...common }),
    anthropic: createAnthropicProvider({ name: 'claude', apiKeys: ['sk-ant'], ...common }),
  };
});
afterEach(() => upstream.reset());
afterAll(async () => {
  await transport.close();
  await upstream.close();
});

describe.each(['openai', 'anthropic'] as const)('%s', (kind) => {
  const model = (behaviour: string) => `m?${behaviour}`;

  test('a plain answer comes back byte for byte with what it used', async () => {
    const { result } = attempt(providers[kind], { model: model('promptTokens=11&completionTokens=5&cachedTokens=2') });
    const { tail, usage, finishReason } = await result;
    expect(JSON.parse(tail.toString())).toMatchObject({ usage: expect.anything() });
    expect(usage).toMatchObject({ completionTokens: 5, cachedTokens: 2, source: 'provider' });
    expect(finishReason).toBe(kind === 'openai' ? 'stop' : 'end_turn');
  });

  test.each(['chunks=5', 'chunks=5&newline=crlf', 'chunks=5&split=bytes', 'chunks=5&pings=3'])(
    'a stream with %s is passed on whole',
    async (behaviour) => {
      const { sink, result } = attempt(providers[kind], { model: model(behaviour), stream: true });
      const { tail, finishReason } = await result;
      expect(finishReason).toBe(kind === 'openai' ? 'stop' : 'end_turn');
      for (const word of ['word0', 'word4']) expect(sink.text).toContain(word);
      expect(tail.toString()).toContain(kind === 'openai' ? '[DONE]' : 'message_stop');
      expect(sink.calls.slice(0, 3)).toEqual(['connected', 'head', 'data']);
    },
  );

  test('the end mark ends a stream whose HTTP answer stays open, and that connection is given up', async () => {
    const events = kind === 'openai' ? 7 : 8; // all of them, end mark included
    const { result } = attempt(providers[kind], { model: model(`chunks=3&silentAfter=${events}&pingEveryMs=50`), stream: true });
    expect((await result).tail.toString()).toContain(kind === 'openai' ? '[DONE]' : 'message_stop');
    await upstream.waitFor(([call]) => call?.outcome === 'client_closed');
  });

  test('streams that end in good order share connections', async () => {
    for (let calls = 0; calls < 6; calls++) await attempt(providers[kind], { model: model('chunks=3&spacingMs=5'), stream: true }).result;
    // A second one, where the next call is faster than the last bytes of the answer before.
    expect(new Set(upstream.calls.map((call) => call.connection)).size).toBeLessThanOrEqual(2);
  });

  test.each([
    ['kind=error&status=400', 'provider_rejected_request'],
    ['kind=error&status=400&reason=context_length', 'context_length_exceeded'],
    ['kind=error&status=400&reason=content_filter', 'content_filtered'],
    ['kind=error&status=401', 'provider_auth_failed'],
    ['kind=error&status=403', 'provider_auth_failed'],
    ['kind=error&status=404', 'model_unsuited'],
    ['kind=error&reason=prefill', 'model_unsuited'],
    ['kind=error&reason=quota', 'provider_auth_failed'],
    ['kind=error&status=413', 'provider_rejected_request'],
    ['kind=error&status=429', 'provider_rate_limited'],
    ['kind=error&status=500', 'provider_failed'],
    ['kind=error&status=502', 'provider_failed'],
    ['kind=error&status=503', 'provider_overloaded'],
    ['kind=error&status=529', 'provider_overloaded'],
    ['kind=reset', 'stream_cut'],
    ['kind=html', 'provider_malformed'],
    ['kind=html&status=502', 'provider_failed'],
  ])('%s is told as %s, plain and streamed', async (behaviour, code) => {
    for (const stream of [false, true]) {
      const { sink, result } = attempt(providers[kind], { model: model(behaviour), stream });
      await expect(result).rejects.toMatchObject({ code });
      expect(sink.chunks).toEqual([]);
    }
  });

  test('an error inside of a success is one, plain and streamed', async () => {
    for (const stream of [false, true]) {
      const { sink, result } = attempt(providers[kind], { model: model('kind=error_in_answer'), stream });
      await expect(result).rejects.toMatchObject({ category: 'ai_service' });
      expect(sink.chunks).toEqual([]);
    }
  });

  test.each([
    ['cutAfter=3', 'stream_cut'],
    ['cutAfter=3&cutBy=reset', 'stream_cut'],
    ['cutAfter=3&cutBy=end', 'stream_cut'],
    ['malformedAfter=3', 'provider_malformed'],
    ['errorAfter=3', kind === 'openai' ? 'provider_failed' : 'provider_overloaded'],
    ['kind=plain_on_stream', 'provider_malformed'],
  ])('a stream with %s rejects with %s and knows what was used', async (behaviour, code) => {
    const { sink, result } = attempt(providers[kind], { model: model(`chunks=8&${behaviour}`), stream: true });
    const error: unknown = await result.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    if (sink.chunks.length > 0) expect((error as { partial: { outputBytes: number } }).partial.outputBytes).toBeGreaterThan(0);
  });

  test('a cut plain answer is no answer', async () => {
    await expect(attempt(providers[kind], { model: model('cutAfter=1') }).result).rejects.toMatchObject({ code: 'stream_cut' });
  });

  test('a line of 20 MB is refused and the connection closed', async () => {
    const { result } = attempt(providers[kind], { model: model('kind=huge_line&megabytes=20'), stream: true });
    await expect(result).rejects.toMatchObject({ code: 'provider_too_large' });
    await upstream.waitFor(([call]) => call?.clientClosedAtMs !== undefined);
  });

  test('the waits that a provider asks for are read in all three forms', async () => {
    const wait = async (behaviour: string) => {
      const error = await attempt(providers[kind], { model: model(`kind=error&status=429&${behaviour}`) }).result.catch(
        (thrown: HoldfastError) => thrown,
      );
      return (error as HoldfastError).retryAfterSeconds;
    };
    expect(await wait('retryAfterSeconds=7')).toBe(7);
    expect(await wait('retryAfterMs=1500')).toBe(1.5);
    const date = await wait('retryAfterDateInSeconds=30');
    expect(date).toBeGreaterThan(25);
    expect(date).toBeLessThanOrEqual(30);
    expect(await wait('')).toBeUndefined();
  });

  test('a cancelled stream stops the provider and rejects with the reason', async () => {
    const { sink, cancellation, result } = attempt(providers[kind], { model: model('chunks=1000&spacingMs=5'), stream: true });
    sink.onData = () => cancellation.cancel(new HoldfastError('client_closed'));
    await expect(result).rejects.toMatchObject({ code: 'client_closed' });
    await upstream.waitFor(([call]) => call?.outcome === 'client_closed');
  });

  test('a slow reader stops the provider instead of filling the memory', async () => {
    const { sink, cancellation, result } = attempt(providers[kind], { model: model(`chunks=100000`), stream: true });
    sink.flowing = false;
    await new Promise<void>((resolve) => (sink.onData = resolve));
    const received = sink.chunks.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.chunks.length - received).toBeLessThan(5);
    sink.flowing = true;
    sink.drain();
    cancellation.cancel(new HoldfastError('client_closed'));
    await expect(result).rejects.toMatchObject({ code: 'client_closed' });
  });

  test('missing usage is undefined, wrong usage has no negative counts', async () => {
    for (const stream of [false, true]) {
      expect((await attempt(providers[kind], { model: model('usage=missing'), stream }).result).usage?.completionTokens ?? 0).toBe(0);
      const { usage } = await attempt(providers[kind], { model: model('usage=wrong'), stream }).result;
      for (const count of Object.values(usage ?? {})) if (typeof count === 'number') expect(count).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('what a provider is sent', () => {
  test('the client’s bytes with only the model changed', async () => {
    const body = { n: 1, 'x-unknown': { deep: [1, 2] }, user: 'me' };
    await attempt(providers.openai, { model: 'gpt-4o-mini', body }).result;
    const sent = upstream.calls[0]!.body.toString();
    expect(sent).toBe(JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }], max_tokens: 100, ...body }));
  });

  test('a stream is asked for usage, and that event is taken out again', async () => {
    const { sink, result } = attempt(providers.openai, { model: 'm', stream: true });
    const { tail, usage } = await result;
    expect(upstream.calls[0]!.json).toMatchObject({ stream_options: { include_usage: true } });
    expect(sink.text + tail.toString()).not.toContain('prompt_tokens');
    expect(usage?.promptTokens).toBeGreaterThan(0);
  });

  test('a client that asked for usage gets it, and its other options stay', async () => {
    const { result } = attempt(providers.openai, { model: 'm', stream: true, body: { stream_options: { include_usage: true, other: 1 } } });
    expect((await result).tail.toString()).toContain('prompt_tokens');
    expect(upstream.calls[0]!.json).toMatchObject({ stream_options: { include_usage: true, other: 1 } });
  });

  test('keys are used in turn and nothing of the client travels but what may', async () => {
    await attempt(providers.openai, { model: 'm', headers: { 'openai-beta': 'yes', cookie: 'no', authorization: 'Bearer theirs' } }).result;
    await attempt(providers.openai, { model: 'm' }).result;
    const [first, second] = upstream.calls;
    expect(new Set([first!.headers.authorization, second!.headers.authorization])).toEqual(new Set(['Bearer sk-one', 'Bearer sk-two']));
    expect(first!.headers['openai-beta']).toBe('yes');
    expect(first!.headers.cookie).toBeUndefined();
  });

  test.each([
    ['a key that is wrong', { kind: 'error', status: 401 }],
    ['an account without credit', { kind: 'error', reason: 'quota' }],
    ['a key without access', { kind: 'error', status: 403 }],
  ] as const)('%s is followed by the next one, until all were refused', async (_what, behaviour) => {
    const provider = createOpenaiProvider({
      name: 'two',
      apiKeys: ['sk-one', 'sk-two'],
      transport,
      clock: systemClock,
      baseUrl: upstream.openaiBaseUrl,
    });
    upstream.script('keyed', (call) => (call.headers.authorization === 'Bearer sk-two' ? {} : behaviour));
    const refused = await attempt(provider, { model: 'keyed' }).result.catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'provider_auth_failed', otherCredential: true });
    for (let calls = 0; calls < 3; calls++) await attempt(provider, { model: 'keyed' }).result;
    upstream.script('keyed', behaviour);
    await expect(attempt(provider, { model: 'keyed' }).result).rejects.toMatchObject({ otherCredential: false });
  });

  test('Anthropic gets its version and the client’s beta', async () => {
    await attempt(providers.anthropic, { model: 'm', headers: { 'anthropic-beta': 'tools-2' } }).result;
    expect(upstream.calls[0]!.headers).toMatchObject({
      'x-api-key': 'sk-ant',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'tools-2',
    });
  });

  test('an operation that the provider has not is refused before anything is sent', async () => {
    await expect(attempt(providers.anthropic, { model: 'm', operation: 'embeddings' }).result).rejects.toMatchObject({
      code: 'operation_unsupported',
    });
    expect(upstream.calls).toEqual([]);
  });
});

test('a provider that is down is unreachable', async () => {
  const gone = await startScriptedUpstream();
  await gone.close();
  const other = createTransport({ allowedOrigins: [gone.url] });
  const provider = createOpenaiProvider({ name: 'gone', apiKeys: [], transport: other, clock: systemClock, baseUrl: gone.openaiBaseUrl });
  await expect(attempt(provider, { model: 'm' }).result).rejects.toMatchObject({ code: 'provider_unreachable' });
  await other.close();
});

test('the transport calls no origin that is not on its list', async () => {
  const provider = createOpenaiProvider({ name: 'other', apiKeys: [], transport, clock: systemClock, baseUrl: 'http://127.0.0.1:9/v1' });
  await expect(attempt(provider, { model: 'm' }).result).rejects.toMatchObject({ code: 'internal_error' });
});
