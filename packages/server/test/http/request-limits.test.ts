import { HoldfastError } from '@holdfast/kit/errors';
import { createMemoryDriver, createRateLimiter, type RateLimiter } from '@holdfast/kit/ratelimit';
import { createClientIpResolver } from '@holdfast/kit/security';
import { createFakeClock } from '@holdfast/kit/testing';
import { parseList, type Item } from 'structured-headers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRequestLimits, type RequestLimitOptions } from '../../src/features/limits/index.ts';
import { goodKey, openDoor, openSocket, parseAnswer } from './door.ts';

const many = { requestsPerMinute: 1_000_000 };
const options: RequestLimitOptions = {
  shadow: false,
  levels: { global: many, ip: many, user: undefined, key: undefined },
  tiers: { basic: {}, unlimited: {} },
  endpoints: [],
};

interface Asked {
  readonly method?: string;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function open(
  given: Partial<RequestLimitOptions>,
  limiterOf?: (limiter: RateLimiter) => RateLimiter,
  doorOptions: Parameters<typeof openDoor>[0] = {},
) {
  const clock = createFakeClock();
  const memory = createRateLimiter({ driver: createMemoryDriver({ clock }) });
  onTestFinished(() => memory.close());
  const limiter = limiterOf?.(memory) ?? memory;
  const door = await openDoor({ ...doorOptions, limits: { limiter, ...createRequestLimits({ ...options, ...given }) } });
  const ask = async (path: string, { method = 'GET', key = null, headers = {}, body }: Asked = {}) => {
    const answer = await fetch(door.url + path, {
      method,
      headers: { ...headers, ...(key !== null && { authorization: `Bearer ${key}` }) },
      ...(body !== undefined && { body }),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const statuses = async (count: number, path: string, asked: Asked = {}) => {
    const seen: number[] = [];
    for (let call = 0; call < count; call++) seen.push((await ask(path, asked)).status);
    return seen;
  };
  const peekAll = () => limiter.list({ limit: 100 });
  return { ...door, clock, ask, statuses, limiter, peekAll };
}

const echo: Asked = { method: 'POST', key: goodKey, headers: { 'content-type': 'application/json' }, body: '{}' };

describe('by address', () => {
  const perAddress = { levels: { ...options.levels, ip: { requestsPerMinute: 100, burst: 3 } } };

  test('whoever has no key, a wrong one, or asks for what is not there', async () => {
    const { ask } = await open(perAddress);
    const answers = [
      await ask('/api/any-key'),
      await ask('/v1/models', { key: 'hf_wrong' }),
      await ask('/wp-login.php'),
      await ask('/api/any-key'),
      await ask('/v1/models', { key: 'hf_wrong' }),
      await ask('/wp-login.php'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 404, 429, 429, 429]);
  });

  test('what is no request to any route at all: a path that does not decode, no host', async () => {
    const { ask, port } = await open(perAddress);
    const broken = await ask('/%zz');
    expect([broken.status, broken.headers.get('x-ratelimit-remaining')]).toEqual([404, '2']);
    const { socket, received, closed } = await openSocket(port);
    socket.end('GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n');
    await closed;
    expect(parseAnswer(received())).toMatchObject({ status: 400, headers: { 'x-ratelimit-remaining': '1' } });
    expect([(await ask('/%zz')).status, (await ask('/%zz')).status]).toEqual([404, 429]);
  });

  test('not whoever has a valid one: the same address may go on', async () => {
    const { statuses } = await open(perAddress);
    expect(await statuses(5, '/api/any-key')).toEqual([401, 401, 401, 429, 429]);
    expect(await statuses(5, '/api/any-key', { key: goodKey })).toEqual(Array(5).fill(200));
    expect(await statuses(2, '/api/any-key', { key: 'slow-key' })).toEqual([200, 200]);
  });

  test('what the server cannot tell is not counted against whoever asks', async () => {
    const { statuses } = await open(perAddress);
    expect(await statuses(5, '/api/any-key', { key: 'broken' })).toEqual(Array(5).fill(503));
    expect(await statuses(3, '/api/any-key')).toEqual([401, 401, 401]);
  });

  test('a wrong method on a known path is counted', async () => {
    const { statuses } = await open(perAddress);
    expect(await statuses(4, '/api/any-key', { method: 'DELETE' })).toEqual([405, 405, 405, 429]);
  });

  test('whom a trusted proxy names, and an IPv6 network as one', async () => {
    const { ask } = await open(perAddress, undefined, { clientIp: createClientIpResolver({ trustedHops: 1 }) });
    const from = async (address: string) => (await ask('/api/any-key', { headers: { 'x-forwarded-for': address } })).status;
    for (const host of ['1', '2', 'ffff:ffff:ffff:ffff'])
      expect(await from(`2001:db8:1:2:${host.includes(':') ? host : `:${host}`}`)).toBe(401);
    expect([await from('2001:db8:1:2::4'), await from('2001:db8:1:3::1'), await from('203.0.113.7')]).toEqual([429, 401, 401]);
  });

  test('HEAD is counted like GET, once', async () => {
    const { statuses } = await open(perAddress);
    expect(await statuses(4, '/api/any-key', { method: 'HEAD' })).toEqual([401, 401, 401, 429]);
  });
});

describe('globally', () => {
  const globally = { levels: { ...options.levels, global: { requestsPerMinute: 100, burst: 3 } } };

  test('all requests together, but not calls of models with a valid key', async () => {
    const { statuses } = await open(globally);
    expect(await statuses(5, '/v1/echo', echo)).toEqual(Array(5).fill(200));
    expect(await statuses(2, '/api/any-key', { key: goodKey })).toEqual([200, 200]);
    expect(await statuses(2, '/api/any-key')).toEqual([401, 429]);
    expect(await statuses(2, '/v1/echo', echo)).toEqual([200, 200]);
    expect(await statuses(1, '/v1/echo', { ...echo, key: null })).toEqual([429]);
  });

  test('probes, metrics and what pages load with themselves are exempt', async () => {
    const { ask, statuses } = await open(globally);
    expect(await statuses(10, '/health')).toEqual(Array(10).fill(200));
    expect(await statuses(5, '/redoc/page.css')).toEqual(Array(5).fill(200));
    expect(await statuses(5, '/docs/static/index.css')).toEqual(Array(5).fill(200));
    expect((await ask('/health')).headers.has('x-ratelimit-limit')).toBe(false);
    expect(await statuses(4, '/redoc')).toEqual([200, 200, 200, 429]);
  });

  test('a preflight is not counted', async () => {
    const { statuses } = await open(globally);
    const preflight = { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } };
    expect(await statuses(10, '/v1/echo', preflight)).toEqual(Array(10).fill(204));
  });
});

test('a refused level takes nothing from the others', async () => {
  const { ask, statuses, limiter } = await open({
    levels: { ...options.levels, global: { requestsPerMinute: 100 }, key: { requestsPerMinute: 2 } },
    tiers: { unlimited: { requestsPerMinute: 50 }, basic: {} },
  });
  expect(await statuses(5, '/api/any-key', { key: goodKey })).toEqual([200, 200, 429, 429, 429]);
  const after = await ask('/api/any-key');
  expect([after.status, after.headers.get('x-ratelimit-remaining')]).toEqual([401, '97']);
  // 2 of the key; the three refused ones are in no bucket, of the global level or the organization.
  expect(limiter.list({ policy: 'organization-minute' })).toEqual([]);
});

describe('what the client is told', () => {
  const perKey = { levels: { ...options.levels, key: { requestsPerMinute: 2 } } };

  test.each([
    ['an answer of the framework', '/api/any-key', { key: goodKey }],
    ['an answer that is written past it', '/v1/echo', echo],
  ] as const)('on %s: the level that binds, in fields that a structured-fields parser reads', async (_, path, asked) => {
    const { ask } = await open(perKey);
    for (const [status, remaining] of [
      [200, '1'],
      [200, '0'],
      [429, '0'],
    ] as const) {
      const answer = await ask(path, asked);
      expect([answer.status, answer.headers.get('x-ratelimit-limit'), answer.headers.get('x-ratelimit-remaining')]).toEqual([
        status,
        '2',
        remaining,
      ]);
      const [policy] = parseList(answer.headers.get('ratelimit-policy')!) as Item[];
      expect([policy![0], policy![1].get('q'), policy![1].get('w')]).toEqual(['key-minute', 2, 60]);
      const [item] = parseList(answer.headers.get('ratelimit')!) as Item[];
      expect([item![0], item![1].get('r')]).toEqual(['key-minute', Number(remaining)]);
      expect(answer.headers.get('retry-after')).toBe(status === 429 ? '61' : null);
      expect(answer.headers.get('x-request-id')).not.toBeNull();
    }
  });

  test('nothing where nothing limits', async () => {
    const { ask } = await open({ levels: { global: undefined, ip: undefined, user: undefined, key: undefined } });
    const answer = await ask('/v1/echo', echo);
    expect([...answer.headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([]);
  });

  test('by a page of another origin too', async () => {
    const { ask } = await open(perKey);
    const { headers } = await ask('/v1/echo', { ...echo, headers: { ...echo.headers, origin: 'https://app.example' } });
    expect(headers.get('access-control-expose-headers')).toContain('x-ratelimit-remaining');
    expect(headers.get('x-ratelimit-remaining')).toBe('1');
  });

  test.each([
    ['/v1/echo', { error: { type: 'rate_limit_error', code: 'rate_limited' } }],
    ['/v1/messages/none', { type: 'error', error: { type: 'rate_limit_error', code: 'rate_limited' } }],
    ['/api/none', { error: { code: 429, reason: 'rate_limited', retry_after: 61 } }],
  ])('a refusal in the shape of %s', async (path, expected) => {
    const { ask, statuses } = await open({ levels: { ...options.levels, ip: { requestsPerMinute: 2 } } });
    await statuses(2, path, { method: 'POST' });
    const { status, text, headers } = await ask(path, { method: 'POST' });
    expect([status, JSON.parse(text), headers.get('retry-after')]).toEqual([429, expect.objectContaining({}), '61']);
    expect(JSON.parse(text)).toMatchObject(expected);
  });
});

test('in shadow everything passes and nothing is told', async () => {
  const { ask, statuses } = await open({ shadow: true, levels: { ...options.levels, ip: { requestsPerMinute: 1 } } });
  expect(await statuses(4, '/api/any-key')).toEqual([401, 401, 401, 401]);
  expect((await ask('/api/any-key')).headers.has('ratelimit')).toBe(false);
});

test('an endpoint of the configuration has a bucket of its own', async () => {
  const endpoint = { name: 'POST /v1/echo', method: 'POST', path: '/v1/echo', per: 'key', requestsPerMinute: 1, exempt: false } as const;
  const { ask, statuses } = await open({ endpoints: [endpoint] });
  expect(await statuses(2, '/v1/echo', echo)).toEqual([200, 429]);
  expect(await statuses(2, '/v1/models', { key: goodKey })).toEqual([200, 200]);
  expect((await ask('/v1/echo', echo)).headers.get('ratelimit')).toContain('"endpoint-post-v1-echo-minute"');
});

test('an endpoint that no route has keeps the server from listening', async () => {
  const endpoint = { name: 'POST /v1/ehco', method: 'POST', path: '/v1/ehco', per: 'key', requestsPerMinute: 1, exempt: false } as const;
  await expect(open({ endpoints: [endpoint] })).rejects.toMatchObject({
    code: 'configuration_invalid',
    message: expect.stringContaining('no route POST /v1/ehco'),
  });
});

test('a limiter that breaks down takes no request with it but the one that it was asked about', async () => {
  let broken = true;
  const { statuses } = await open({}, (memory) => ({
    ...memory,
    take: (takes) => (broken ? Promise.reject(new HoldfastError('limiter_unavailable', { detail: 'at 10.0.0.1' })) : memory.take(takes)),
  }));
  expect(await statuses(2, '/api/any-key')).toEqual([503, 503]);
  broken = false;
  expect(await statuses(1, '/api/any-key')).toEqual([401]);
});
