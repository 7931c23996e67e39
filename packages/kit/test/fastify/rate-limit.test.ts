import Fastify, { type FastifyInstance } from 'fastify';
import { parseDictionary, parseList, type Item } from 'structured-headers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import { createLimitStep, rateLimit, type RateLimitOptions } from '@holdfast/kit/fastify';
import {
  concurrency,
  createMemoryDriver,
  createRateLimiter,
  gcra,
  headerFields,
  slidingWindow,
  takeDecided,
  type RateLimitDriver,
  type RateLimiter,
} from '@holdfast/kit/ratelimit';
import { createFakeClock } from '@holdfast/kit/testing';

const perKey = slidingWindow({ name: 'key', limit: 3, windowMs: 60_000 });
const byKey: Required<RateLimitOptions>['levels'] = (request) => [{ policy: perKey, key: String(request.headers['x-key']) }];

/** Somebody's app, on a port of its own. */
async function serve(options: RateLimitOptions = {}, addRoutes: (app: FastifyInstance) => void = () => {}) {
  const app = Fastify();
  const clock = createFakeClock();
  const limiter = createRateLimiter({ driver: createMemoryDriver({ clock }) });
  await app.register(rateLimit, { limiter, ...options });
  app.get('/', () => ({ hello: 'world' }));
  app.get('/health', () => ({ status: 'up' }));
  app.get('/health/ready', () => ({ status: 'up' }));
  app.get('/healthy-food', () => []);
  addRoutes(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await app.close();
    limiter.close();
  });
  const get = (path = '/', key = 'a', init: RequestInit = {}) => fetch(url + path, { ...init, headers: { 'x-key': key } });
  const statuses = async (count: number, path?: string, key?: string) => {
    const seen: number[] = [];
    for (let call = 0; call < count; call++) seen.push((await get(path, key)).status);
    return seen;
  };
  return { app, url, clock, limiter, get, statuses };
}

test('three lines limit an app that knows nothing else of Holdfast: ten at once for each address', async () => {
  const app = Fastify();
  await app.register(rateLimit);
  app.get('/', () => 'hello');

  const from = async (remoteAddress: string) => (await app.inject({ url: '/', remoteAddress })).statusCode;
  const statuses: number[] = [];
  for (let call = 0; call < 11; call++) statuses.push(await from('203.0.113.7'));
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429]);
  expect(await from('203.0.113.8')).toBe(200);
  for (let call = 0; call < 10; call++) await from(`2001:db8::${call}`);
  expect([await from('2001:db8::ffff'), await from('2001:db8:0:1::1')]).toEqual([429, 200]);
  await app.close();
});

describe('what the client is told', () => {
  test('every answer of a limited route carries the limit, in fields that a structured-fields parser reads', async () => {
    const { get, clock } = await serve({ levels: byKey });
    const answers = [await get(), await get(), await get(), await get()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    for (const [at, { headers }] of answers.entries()) {
      const remaining = Math.max(0, 2 - at);
      expect([headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')]).toEqual(['3', String(remaining)]);
      expect(Number(headers.get('x-ratelimit-reset'))).toBe(Math.ceil(clock.now() / 1000) + 61);
      const [policy] = parseList(headers.get('ratelimit-policy')!) as Item[];
      expect([policy![0], Object.fromEntries(policy![1])]).toEqual(['key', { q: 3, w: 60 }]);
      const [limit] = parseList(headers.get('ratelimit')!) as Item[];
      expect([limit![0], Object.fromEntries(limit![1])]).toEqual(['key', { r: remaining, t: 61 }]);
      // The older drafts' dictionaries are not what is meant.
      expect(() => parseDictionary(headers.get('ratelimit')!)).toThrow();
    }
    expect([answers[2]!.headers.get('retry-after'), answers[3]!.headers.get('retry-after')]).toEqual([null, '61']);
  });

  test('a refusal is 429 in the envelope', async () => {
    const { get, statuses } = await serve({ levels: byKey });
    await statuses(3);
    const refused = await get();
    expect(refused.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await refused.json()).toEqual({
      error: {
        code: 429,
        reason: 'rate_limited',
        category: 'rate_limit',
        message: expect.stringContaining('Too many requests'),
        details: { limit: 'key', unit: 'requests' },
        retry_after: 61,
        timestamp: expect.stringMatching(/Z$/),
        request_id: expect.any(String),
      },
    });
  });

  test('after the wait that it was told the same request passes', async () => {
    const { get, statuses, clock } = await serve({ levels: byKey });
    await statuses(3);
    const waitSeconds = Number((await get()).headers.get('retry-after'));
    clock.advance((waitSeconds - 1) * 1000 - 1);
    expect((await get()).status).toBe(429);
    clock.advance(1001);
    expect((await get()).status).toBe(200);
  });

  test('with `throw` the error handler of the app answers, and the fields are there all the same', async () => {
    const { get, statuses } = await serve({ levels: byKey, refusals: 'throw' }, (app) => {
      app.setErrorHandler((error, _request, reply) => {
        void reply.code(isHoldfastError(error) ? error.status : 500).send({ mine: isHoldfastError(error) ? error.code : String(error) });
      });
    });
    await statuses(3);
    const refused = await get();
    expect([refused.status, await refused.json(), refused.headers.get('retry-after')]).toEqual([429, { mine: 'rate_limited' }, '61']);
  });

  test('a handler that writes its own head finds the decision on the request', async () => {
    const { get } = await serve({ levels: byKey }, (app) => {
      app.get('/raw', (request, reply) => {
        reply.hijack();
        reply.raw.writeHead(200, headerFields(request.rateLimitDecision!)).end('raw');
      });
    });
    expect((await get('/raw')).headers.get('x-ratelimit-remaining')).toBe('2');
  });
});

describe('which requests', () => {
  test('probes and metrics are exempt, also when they are many; what only looks like one is not', async () => {
    const { get, statuses } = await serve({ levels: byKey }, (app) => app.get('/metrics', () => 'up 1'));
    for (const path of ['/health', '/health/ready', '/%68ealth', '/metrics']) expect(await statuses(5, path)).toEqual(Array(5).fill(200));
    expect((await get('/health')).headers.has('x-ratelimit-limit')).toBe(false);
    expect(await statuses(4, '/healthy-food')).toEqual([200, 200, 200, 429]);
  });

  test('exemptions can be named by pattern', async () => {
    const { statuses } = await serve({ levels: byKey, exempt: ['/static/*', '/things/:id'] }, (app) => {
      app.get('/static/*', () => 'file');
      app.get('/things/:id', () => 'thing');
    });
    expect(await statuses(5, '/static/a/b')).toEqual(Array(5).fill(200));
    expect(await statuses(5, '/things/7')).toEqual(Array(5).fill(200));
    expect(await statuses(4, '/health')).toEqual([200, 200, 200, 429]);
  });

  test('a route may have levels of its own, or none', async () => {
    const perReport = gcra({ name: 'report', limit: 1, periodMs: 3_600_000 });
    const { statuses } = await serve({ levels: byKey }, (app) => {
      app.get('/report', { config: { rateLimits: (request) => [...byKey(request), { policy: perReport, key: 'all' }] } }, () => 'report');
      app.get('/free', { config: { rateLimits: false } }, () => 'free');
    });
    expect(await statuses(2, '/report')).toEqual([200, 429]);
    expect(await statuses(5, '/free')).toEqual(Array(5).fill(200));
    // The refused report took nothing from the key.
    expect(await statuses(3, '/')).toEqual([200, 200, 429]);
  });

  test('unknown paths are limited like all others', async () => {
    const { statuses } = await serve({ levels: byKey });
    expect(await statuses(4, '/wp-login.php')).toEqual([404, 404, 404, 429]);
  });

  test('routes of plugins are limited too, wherever they are declared', async () => {
    const { statuses } = await serve({ levels: byKey }, (app) => {
      void app.register(async (scope) => void scope.get('/thing', () => 'thing'), { prefix: '/inner' });
    });
    expect(await statuses(4, '/inner/thing')).toEqual([200, 200, 200, 429]);
  });

  test('an empty list of levels limits nothing, and says nothing', async () => {
    const { get, statuses } = await serve({ levels: () => [] });
    expect(await statuses(5)).toEqual(Array(5).fill(200));
    expect([...(await get()).headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([]);
  });

  test.each(['preValidation', 'preHandler'] as const)('levels may look at what a hook before %s found', async (hook) => {
    const { statuses } = await serve(
      { hook, levels: (request) => [{ policy: perKey, key: (request as unknown as { owner: string }).owner }] },
      (app) => {
        app.addHook('preParsing', (request, _reply, payload, done) => {
          (request as unknown as { owner: string }).owner = `owner of ${String(request.headers['x-key'])}`;
          done(null, payload);
        });
      },
    );
    expect([await statuses(4, '/', 'a'), await statuses(1, '/', 'b')]).toEqual([[200, 200, 200, 429], [200]]);
  });
});

test('in shadow nothing is refused or told, and what would have been is announced', async () => {
  const refused: string[] = [];
  onTestFinished(
    takeDecided.subscribe(({ decision }) => {
      for (const bucket of decision.buckets) if (bucket.refused) refused.push(bucket.policy.name);
    }),
  );
  const { get, statuses } = await serve({ levels: byKey, shadow: true });
  expect(await statuses(5)).toEqual(Array(5).fill(200));
  expect(refused).toEqual(['key', 'key']);
  expect((await get()).headers.has('ratelimit')).toBe(false);
});

describe('places', () => {
  const places = concurrency({ name: 'places', limit: 1 });
  const options: RateLimitOptions = { levels: () => [{ policy: places, key: 'all' }] };

  test('are free again when the answer has ended, and when the client has gone before it', async () => {
    let entered = Promise.withResolvers<void>();
    let leave = Promise.withResolvers<void>();
    const { get, limiter } = await serve(options, (app) => {
      app.get('/slow', async () => {
        entered.resolve();
        await leave.promise;
        return 'done';
      });
    });
    const free = () => (limiter as RateLimiter).peek([{ policy: places, key: 'all' }]);
    const slow = get('/slow');
    await entered.promise;
    expect((await get('/')).status).toBe(429);
    leave.resolve();
    expect((await slow).status).toBe(200);
    await expect.poll(async () => (await free()).allowed).toBe(true);

    entered = Promise.withResolvers();
    leave = Promise.withResolvers();
    const abort = new AbortController();
    const gone = get('/slow', 'a', { signal: abort.signal }).catch(() => 'gone');
    await entered.promise;
    expect((await free()).allowed).toBe(false);
    abort.abort();
    expect(await gone).toBe('gone');
    await expect.poll(async () => (await free()).allowed).toBe(true);
    leave.resolve();
  });
});

describe('a store that cannot decide', () => {
  const failing: RateLimiter = createRateLimiter({
    driver: {
      take: () => Promise.reject(new HoldfastError('limiter_unavailable', { detail: 'redis at 10.0.0.1 is away' })),
    } as unknown as RateLimitDriver,
  });

  test('is 503 in the envelope, without a word of where it is', async () => {
    const { get } = await serve({ limiter: failing, levels: byKey });
    const answer = await get();
    expect(answer.status).toBe(503);
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({ error: { reason: 'limiter_unavailable' } });
    expect(body).not.toContain('10.0.0.1');
  });

  test('lets through when it was told to', async () => {
    const { statuses } = await serve({ limiter: failing, levels: byKey, whenUnavailable: 'let-through' });
    expect(await statuses(3)).toEqual([200, 200, 200]);
  });

  test('is not waited for where nothing can be refused', async () => {
    const counted = slidingWindow({ name: 'counted', limit: Number.POSITIVE_INFINITY, windowMs: 60_000 });
    const silent = createRateLimiter({ driver: { take: () => new Promise(() => {}) } as unknown as RateLimitDriver });
    const { statuses } = await serve({ limiter: silent, levels: () => [{ policy: counted, key: 'a' }] });
    expect(await statuses(2)).toEqual([200, 200]);
    const lost = await serve({ limiter: failing, levels: () => [{ policy: counted, key: 'a' }] });
    expect(await lost.statuses(2)).toEqual([200, 200]);
  });
});

test('a fault in the levels is a fault of the app, and lets nobody through', async () => {
  const { get } = await serve({
    levels: () => {
      throw new TypeError('secret');
    },
  });
  const answer = await get();
  expect([answer.status, (await answer.text()).includes('secret')]).toEqual([500, false]);
});

test.each(['health', '/a*b', '/**', ''])('an exemption that matches no route is refused: %s', async (pattern) => {
  const app = Fastify();
  await expect(app.register(rateLimit, { exempt: [pattern] })).rejects.toThrow('exempt');
});

test('the limiter of the plugin is closed with the app; one that was given is not', async () => {
  const clock = createFakeClock();
  const own = Fastify();
  await own.register(rateLimit, { clock });
  own.get('/', () => 'hello');
  await own.inject('/');
  expect(clock.pendingTimers).toBe(1);
  await own.close();
  expect(clock.pendingTimers).toBe(0);

  const limiter = createRateLimiter({ driver: createMemoryDriver({ clock }) });
  const given = Fastify();
  await given.register(rateLimit, { limiter, levels: byKey });
  given.get('/', () => 'hello');
  await given.inject('/');
  await given.close();
  expect(clock.pendingTimers).toBe(1);
  limiter.close();
});

test('the step alone may be called wherever an app wants it', async () => {
  const limiter = createRateLimiter({ driver: createMemoryDriver({ clock: createFakeClock() }) });
  const step = createLimitStep({ limiter, levels: byKey });
  const app = Fastify();
  app.decorateRequest('rateLimitDecision', null);
  app.get('/', { onRequest: (request, reply, done) => step(request, reply, done) }, () => 'hello');
  const statuses: number[] = [];
  for (let call = 0; call < 4; call++) statuses.push((await app.inject('/')).statusCode);
  expect(statuses).toEqual([200, 200, 200, 429]);
  await app.close();
});
