import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const primary = ['primary/gpt-4o-mini'];

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    rateLimits: { levels: { global: false, ip: false }, tiers: { gold: { tokensPerMinute: 3_000 } } },
    models: {
      calls: { targets: primary, rateLimits: { requestsPerMinute: 2 } },
      'calls-of-claude': { targets: ['claude/claude-sonnet-4-5'], rateLimits: { requestsPerMinute: 1 } },
      single: { targets: primary, rateLimits: { concurrent: 1 } },
      'single-stream': { targets: primary, rateLimits: { concurrent: 1, tokensPerMinute: 50_000 } },
      tokens: { targets: primary, rateLimits: { tokensPerMinute: 10_000 } },
      'tokens-of-embeddings': { targets: ['primary/text-embedding-3-small'], rateLimits: { tokensPerMinute: 400 } },
    },
  });
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.upstream.reset());

const messages = [{ role: 'user' as const, content: 'hi' }];
const ask = (model: string, more: object = {}) =>
  gateway.openai.chat.completions.create({ model, messages, ...more } as OpenAI.ChatCompletionCreateParamsNonStreaming);

test('a call beyond the limit of a model is refused in the shape that its SDK knows, with the limit and the wait, and costs the provider nothing', async () => {
  const served = await gateway.openai.chat.completions.create({ model: 'calls', messages }).withResponse();
  expect([served.response.headers.get('x-ratelimit-limit'), served.response.headers.get('x-ratelimit-remaining')]).toEqual(['2', '1']);
  expect(served.response.headers.get('ratelimit')).toMatch(/^"model-calls";r=1;t=\d+$/);
  await ask('calls');

  const id = requestId();
  const error = await gateway.openai.chat.completions
    .create({ model: 'calls', messages }, { headers: { 'x-request-id': id } })
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  const { headers, code, status } = error as InstanceType<typeof OpenAI.RateLimitError>;
  expect([status, code]).toEqual([429, 'rate_limited']);
  expect(Number(headers!.get('retry-after'))).toBeGreaterThan(0);
  expect(headers!.get('x-should-retry')).toBeNull();
  expect([headers!.get('x-ratelimit-limit'), headers!.get('x-ratelimit-remaining')]).toEqual(['2', '0']);
  expect(headers!.get('ratelimit-policy')).toBe('"model-calls";q=2;w=60');
  expect(gateway.upstream.calls).toHaveLength(2);

  // As other refusals before the ledger: no row, but counted.
  const rows = (await (await gateway.fetch(`/api/usage?request_id=${id}`)).json()) as { data: unknown[] };
  expect(rows.data).toEqual([]);
  expect(await (await gateway.fetch('/metrics', { key: null })).text()).toMatch(
    /^holdfast_llm_calls_total\{.*model="calls",outcome="refused"\} 1$/m,
  );

  const claude = () => gateway.anthropic.messages.create({ model: 'calls-of-claude', max_tokens: 9, messages });
  await claude();
  const refused = await claude().catch((e: unknown) => e);
  expect(refused).toBeInstanceOf(Anthropic.RateLimitError);
  expect((refused as InstanceType<typeof Anthropic.RateLimitError>).headers!.get('retry-after')).toMatch(/^\d+$/);
});

/** So many calls at once, of which the provider answers none: resolves when all but one are refused, with the way to end that one. */
async function crowd(size: number, model: string, more: object = {}): Promise<() => Promise<void>> {
  gateway.upstream.enqueue(...Array.from({ length: size }, () => ({ headersDelayMs: 60_000 })));
  const leave = new AbortController();
  const statuses: (number | undefined)[] = [];
  const calls = Array.from({ length: size }, () =>
    gateway.openai.chat.completions
      .create({ model, messages, ...more }, { signal: leave.signal })
      .catch((error: InstanceType<typeof OpenAI.APIError>) => void statuses.push(error.status)),
  );
  await expect.poll(() => statuses.length, { timeout: 5_000, interval: 10 }).toBe(size - 1);
  expect(new Set(statuses)).toEqual(new Set([429]));
  await gateway.upstream.waitFor((seen) => seen.length === 1);
  return async () => {
    leave.abort();
    await Promise.all(calls);
    gateway.upstream.reset();
  };
}

/** A client that left is noticed when its connection closes: a moment later. */
const untilServed = (model: string, more: object = {}) =>
  expect
    .poll(
      () =>
        ask(model, more).then(
          () => true,
          () => false,
        ),
      { timeout: 5_000, interval: 20 },
    )
    .toBe(true);

test('of 64 calls at once one gets the one place, and when its client leaves it is free', async () => {
  const leave = await crowd(64, 'single');
  await leave();
  await untilServed('single');
  for (let call = 0; call < 3; call++) await ask('single');
});

test('a stream that its client leaves, or that breaks off, gives its place back and pays for what was said', async () => {
  for (const how of ['left', 'cut'] as const) {
    gateway.upstream.enqueue(how === 'left' ? { chunks: 200, spacingMs: 20 } : { chunks: 60, cutAfter: 5 });
    const stream = await gateway.openai.chat.completions.create({ model: 'single-stream', messages, stream: true, max_tokens: 5_000 });
    const read = async () => {
      let chunks = 0;
      for await (const _ of stream) if (how === 'left' && ++chunks === 3) stream.controller.abort();
    };
    if (how === 'left') await read();
    else await expect(read()).rejects.toThrow();
    await untilServed('single-stream', { max_tokens: 10 });
  }
  const { response } = await gateway.openai.chat.completions.create({ model: 'single-stream', messages, max_tokens: 10 }).withResponse();
  // Of the 10,000 that both reserved nearly all came back.
  expect(Number(response.headers.get('x-ratelimit-remaining'))).toBeGreaterThan(48_000);
});

test('tokens are taken ahead by what the call allows, and what it did not use is given back', async () => {
  const allowance = { max_tokens: 6_000 };
  const leave = await crowd(4, 'tokens', allowance);
  await leave();
  await untilServed('tokens', allowance);

  const tooLong = await ask('tokens', { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] }).catch((e: unknown) => e);
  const { headers, status } = tooLong as InstanceType<typeof OpenAI.APIError>;
  expect([status, headers!.get('retry-after'), headers!.get('x-should-retry')]).toEqual([429, null, 'false']);
});

test('embeddings use tokens too', async () => {
  gateway.upstream.enqueue({ promptTokens: 390 });
  const embed = () => gateway.openai.embeddings.create({ model: 'tokens-of-embeddings', input: 'word '.repeat(200) });
  await embed();
  await expect(embed()).rejects.toMatchObject({ status: 429 });
});

const json = (method: string, path: string, body?: object): Promise<any> =>
  gateway.fetch(path, { method, ...(body && { body: JSON.stringify(body) }) }).then((answer) => answer.json());

test('a key has limits of its own, which count from the moment of their change', async () => {
  const made = await json('POST', '/api/keys', { name: 'limited', requests_per_minute: 1 });
  const client = new OpenAI({ baseURL: `${gateway.server.url}/v1`, apiKey: made.key, maxRetries: 0 });
  const call = () => client.chat.completions.create({ model: 'fast', messages }).withResponse();
  expect((await call()).response.headers.get('ratelimit-policy')).toBe('"key-calls";q=1;w=60');
  await expect(call()).rejects.toMatchObject({ status: 429 });
  const own = await fetch(`${gateway.server.url}/api/rate-limits/self`, { headers: { authorization: `Bearer ${made.key}` } });
  const { data } = (await own.json()) as { data: object[] };
  expect(data).toContainEqual(expect.objectContaining({ level: 'key-calls', subject: made.id, limit: 1, remaining: 0 }));
  await ask('fast');
  await json('PATCH', `/api/keys/${made.id}`, { requests_per_minute: 5 });
  await expect
    .poll(
      () =>
        call().then(
          ({ response }) => response.headers.get('x-ratelimit-limit'),
          () => null,
        ),
      { timeout: 5_000, interval: 20 },
    )
    .toBe('5');
});

test('the keys of an organization have the tokens of its tier together', async () => {
  const { data } = await json('GET', '/api/organizations');
  const id = data[0].id as string;
  const other = await json('POST', '/api/keys', { name: 'another' });
  const clients = [gateway.server.key, other.key as string].map(
    (apiKey) => new OpenAI({ baseURL: `${gateway.server.url}/v1`, apiKey, maxRetries: 0 }),
  );
  await json('PATCH', `/api/organizations/${id}`, { tier: 'gold' });
  const refusals = async () => {
    gateway.upstream.enqueue({ promptTokens: 2_500 }, { promptTokens: 2_500 });
    const statuses = [];
    for (const client of clients)
      statuses.push(
        await client.chat.completions.create({ model: 'fast', messages, max_tokens: 100 }).then(
          () => 200,
          (error: InstanceType<typeof OpenAI.APIError>) => error.status,
        ),
      );
    gateway.upstream.reset();
    return statuses;
  };
  await expect.poll(refusals, { timeout: 5_000, interval: 20 }).toContain(429);
  await json('PATCH', `/api/organizations/${id}`, { tier: 'unlimited' });
  await untilServed('fast', { max_tokens: 3_000 });
});
