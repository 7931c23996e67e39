import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import type { RateLimitListBody } from '@holdfast/contracts';
import { parseList, type Item } from 'structured-headers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../support/server.ts';
import { startGateway, type Gateway } from './fixture.ts';

const messages = [{ role: 'user' as const, content: 'Hello' }];
const decisions = /^holdfast_rate_limit_decisions_total\{level="([^"]+)",decision="([^"]+)"\} (\d+)$/gm;

/** Statuses of so many requests at once, counted. */
async function tally(count: number, ask: () => Promise<Response>): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  await Promise.all(
    Array.from({ length: count }, async () => {
      const answer = await ask();
      await answer.arrayBuffer();
      counts[answer.status] = (counts[answer.status] ?? 0) + 1;
    }),
  );
  return counts;
}

/** Asks again for as long as only this level refuses: for what is no part of the test. */
async function patiently(ask: () => Promise<Response>, level: string): Promise<Response> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 429 || !answer.headers.get('ratelimit')!.startsWith(`"${level}"`)) return answer;
    await answer.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('by default', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ rateLimits: {} });
  });
  afterAll(() => gateway.stop());

  const call = () => gateway.fetch('/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model: 'lab/echo', messages }) });

  test('tiers hold exactly with 64 clients at once, and an organization goes on with the buckets that it has when its tier changes', async () => {
    // Every call of this organization so far.
    let passed = 0;
    const pass = async (): Promise<Response> => {
      const answer = await call();
      if (answer.status === 200) passed += 1;
      return answer;
    };
    // By the machine and not by the API, which refuses an organization that has used up its requests too.
    const setTier = async (tier: string, limit: string | null) => {
      const ran = await gateway.server.cli('organizations', 'tier', 'default', tier);
      expect([ran.code, ran.out]).toEqual([0, expect.stringMatching(new RegExp(`default +Default +${tier}`))]);
      await expect.poll(async () => (await pass()).headers.get('x-ratelimit-limit'), { timeout: 2_000, interval: 20 }).toBe(limit);
    };
    /** Goes on until it is refused. */
    const client = async () => {
      while ((await pass()).status === 200);
    };
    for (const [tier, limit] of [
      ['basic', 30],
      ['pro', 100],
      ['enterprise', 500],
    ] as const) {
      await setTier(tier, String(limit));
      await Promise.all(Array.from({ length: 64 }, client));
      expect(passed).toBe(limit);
      const refused = await call();
      expect([refused.status, refused.headers.get('ratelimit-policy')]).toEqual([429, `"organization-minute";q=${limit};w=60`]);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    await setTier('unlimited', null);
  });

  test('who guesses keys is refused after ten, and whoever has one at the same address is not', async () => {
    const guess = (at: number) =>
      new OpenAI({ baseURL: `${gateway.server.url}/v1`, apiKey: `hf_guess${at}`, maxRetries: 0 }).models.list().then(
        () => 'listed',
        (error: Error) => error.constructor.name,
      );
    const seen = await Promise.all(Array.from({ length: 30 }, (_, at) => guess(at)));
    expect(new Set(seen)).toEqual(new Set(['AuthenticationError', 'RateLimitError']));
    // Ten at once, and what drained while they came.
    expect(seen.filter((name) => name === 'AuthenticationError').length).toBeGreaterThanOrEqual(10);
    expect(seen.filter((name) => name === 'RateLimitError').length).toBeGreaterThanOrEqual(10);
    expect((await gateway.openai.chat.completions.create({ model: 'lab/echo', messages })).choices).toHaveLength(1);
  });

  test('a refusal is what each SDK raises for one, and says how long to wait', async () => {
    const wrong = { apiKey: 'hf_wrong', maxRetries: 0 };
    const refusalOf = async (ask: () => Promise<unknown>): Promise<any> => {
      for (let attempt = 0; attempt < 50; attempt++) {
        const error: any = await ask().catch((thrown: unknown) => thrown);
        if (error.status === 429) return error;
      }
      throw new Error('never refused');
    };
    const openai = await refusalOf(() => new OpenAI({ ...wrong, baseURL: `${gateway.server.url}/v1` }).models.list());
    expect(openai).toBeInstanceOf(OpenAI.RateLimitError);
    expect([openai.code, openai.type, Number(openai.headers.get('retry-after'))]).toEqual(['rate_limited', 'rate_limit_error', 1]);
    const anthropic = await refusalOf(() =>
      new Anthropic({ ...wrong, baseURL: gateway.server.url }).messages.create({ model: 'm', max_tokens: 1, messages }),
    );
    expect(anthropic).toBeInstanceOf(Anthropic.RateLimitError);
    expect([anthropic.error.error.type, Number(anthropic.headers.get('retry-after'))]).toEqual(['rate_limit_error', 1]);
  });

  test('the first organization is counted and never refused; its calls carry no fields of a limit that is not there', async () => {
    expect(await tally(120, call)).toEqual({ 200: 120 });
    expect((await call()).headers.has('x-ratelimit-limit')).toBe(false);
  });

  test('everything but calls of models is limited together, and probes and metrics are not', async () => {
    const counts = await tally(60, () => gateway.fetch('/api/keys?limit=1'));
    // Ten at once, but for what the tests before took and did not drain yet.
    expect(counts[200]).toBeGreaterThanOrEqual(1);
    expect(counts[429]).toBeGreaterThanOrEqual(1);
    expect(await tally(40, () => gateway.fetch('/health', { key: null }))).toEqual({ 200: 40 });
    expect(await tally(10, () => gateway.fetch('/metrics', { key: null }))).toEqual({ 200: 10 });
    expect(await tally(10, call)).toEqual({ 200: 10 });
  });

  test('what was decided is in the metrics, by level and never by whose it was', async () => {
    const text = await (await gateway.fetch('/metrics', { key: null })).text();
    const counts = new Map([...text.matchAll(decisions)].map(([, level, decision, count]) => [`${level} ${decision}`, Number(count)]));
    for (const name of ['ip-minute refused', 'global-minute refused', 'organization-minute refused', 'organization-minute allowed'])
      expect(counts.get(name), name).toBeGreaterThan(0);
    expect([...counts.keys()].map((name) => name.split(' ')[0]!).toSorted()).toEqual(
      ['global-minute', 'ip-minute', 'organization-hour', 'organization-minute'].flatMap((level) => [level, level, level]),
    );
    expect(text).toMatch(/^holdfast_rate_limit_driver_degraded 0$/m);
  });
});

describe('as configured', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({
      rateLimits: {
        levels: { global: { burst: 1_000 }, ip: { requestsPerMinute: 1, burst: 1_000 }, key: { requestsPerMinute: 240, burst: 2 } },
        endpoints: {
          'POST /v1/embeddings': { requestsPerHour: 3 },
          '/v1/messages': { requestsPerHour: 1, shadow: true },
          'GET /api/keys': { exempt: true },
        },
      },
    });
  });
  afterAll(() => gateway.stop());

  test('an SDK that is refused waits as long as it was told, and its next try passes', async () => {
    const { openai } = gateway;
    const patient = new OpenAI({ baseURL: `${gateway.server.url}/v1`, apiKey: gateway.server.key, maxRetries: 3 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => patient.chat.completions.create({ model: 'lab/echo', messages })));
    expect(answers).toHaveLength(4);
    const impatient = Array.from({ length: 20 }, () => openai.chat.completions.create({ model: 'lab/echo', messages }));
    const refused = (await Promise.allSettled(impatient)).filter(({ status }) => status === 'rejected');
    expect(refused[0]).toMatchObject({ reason: expect.any(OpenAI.RateLimitError) });
  });

  test('an endpoint has its own limit, in the fields of a whole answer and of a stream', async () => {
    const ask = () => gateway.fetch('/v1/embeddings', { method: 'POST', key: other, body: JSON.stringify({ model: 'embed', input: 'x' }) });
    const other = await newKey();
    const seen: unknown[] = [];
    for (let call = 0; call < 4; call++) {
      const answer = await patiently(ask, 'key-minute');
      const [policy] = parseList(answer.headers.get('ratelimit-policy')!) as Item[];
      seen.push([answer.status, policy![0], answer.headers.get('x-ratelimit-remaining')]);
      await answer.arrayBuffer();
    }
    // Of the levels that let through, the one with room for the fewest is told: at first that of the key.
    expect(seen.at(-1)).toEqual([429, 'endpoint-post-v1-embeddings-hour', '0']);
    expect(seen.slice(0, 3).every((each) => (each as [number])[0] === 200)).toBe(true);

    const stream = await patiently(
      () =>
        gateway.fetch('/v1/chat/completions', {
          method: 'POST',
          key: other,
          body: JSON.stringify({ model: 'lab/echo', messages, stream: true }),
        }),
      'key-minute',
    );
    expect([stream.status, stream.headers.get('x-ratelimit-limit')]).toEqual([200, '2']);
    await stream.arrayBuffer();
  });

  test('a limit in shadow lets pass, and says in log and metrics what it would have refused', async () => {
    const key = await newKey();
    const ask = () =>
      gateway.fetch('/v1/messages', { method: 'POST', key, body: JSON.stringify({ model: 'lab/echo', max_tokens: 9, messages }) });
    for (let call = 0; call < 3; call++) expect((await patiently(ask, 'key-minute')).status).toBe(200);
    await expect
      .poll(() => gateway.server.output(), { timeout: 4_000, interval: 20 })
      .toMatch(/"level":"endpoint-v1-messages-hour".*"a limit in shadow would have refused requests"/);
    const text = await (await gateway.fetch('/metrics', { key: null })).text();
    expect(text).toMatch(/level="endpoint-v1-messages-hour",decision="shadow_refused"\} [2-9]$/m);
    expect(text).toMatch(/level="endpoint-v1-messages-hour",decision="refused"\} 0/);
  });

  test('an endpoint that is exempt is counted nowhere', async () => {
    expect(await tally(30, () => gateway.fetch('/api/keys?limit=1'))).toEqual({ 200: 30 });
  });

  test('operators see the fullest buckets, those of an organization and of an address; holders of a key their own', async () => {
    const list = async (query: string, key?: string) => {
      const answer = await patiently(() => gateway.fetch(`/api/rate-limits${query}`, key === undefined ? {} : { key }), 'key-minute');
      return [answer.status, ((await answer.json()) as RateLimitListBody).data] as const;
    };
    const [, fullest] = await list('?level=endpoint-post-v1-embeddings-hour');
    expect(fullest).toMatchObject([{ level: 'endpoint-post-v1-embeddings-hour', limit: 3, remaining: 0 }]);
    const organization = fullest![0]!.subject;
    const [, own] = await list(`?organization_id=${organization}`);
    expect(own).toMatchObject([{ level: 'organization-minute', subject: organization, limit: null, remaining: null }]);
    await gateway.fetch('/v1/models', { key: 'hf_wrong' });
    const [, addresses] = await list('?address=127.0.0.1');
    expect(addresses).toMatchObject([{ level: 'ip-minute', subject: '127.0.0.1', limit: 1_000, remaining: 999 }]);

    const { url, folder, key: operatorKey } = gateway.server;
    const env = { PATH: process.env['PATH']!, HOLDFAST_BASE_URL: url, HOLDFAST_API_KEY: operatorKey };
    const shown = await runCli(['limits', '--level', 'endpoint-post-v1-embeddings-hour'], folder, env);
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(new RegExp(`embeddings-hour +${organization} +0 +3 `))]);

    const key = await newKey();
    const [status, self] = await list('/self', key);
    expect([status, self!.map(({ level }) => level)]).toEqual([200, ['key-minute', 'organization-minute']]);
    expect(self![0]).toMatchObject({ limit: 2, remaining: expect.any(Number) });
    expect((await list('', key))[0]).toBe(403);
    expect((await list('?organization_id=01a1f863-0000-7000-8000-000000000000'))[0]).toBe(404);
    expect((await list(`?organization_id=${organization}&address=127.0.0.1`))[0]).toBe(400);
  });

  let made = 0;
  /** A key whose own bucket is as good as new. */
  async function newKey(): Promise<string> {
    const answer = await patiently(
      () => gateway.fetch('/api/keys', { method: 'POST', body: JSON.stringify({ name: `k${++made}`, scopes: ['inference'] }) }),
      'key-minute',
    );
    return ((await answer.json()) as { key: string }).key;
  }
});
