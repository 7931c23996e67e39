import type { BucketTake } from '@holdfast/kit/ratelimit';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Principal } from '../../model/index.ts';
import { createRequestLimits, tierUnknown, type LimitedRoute, type RequestLimitOptions } from './index.ts';

const options: RequestLimitOptions = {
  shadow: false,
  levels: {
    global: { requestsPerMinute: 1_000, burst: 10 },
    ip: { requestsPerMinute: 100, burst: 10 },
    user: { requestsPerMinute: 50 },
    key: { requestsPerHour: 40 },
  },
  tiers: { basic: { requestsPerMinute: 30, requestsPerHour: 900 }, unlimited: {} },
  endpoints: [],
};
const principal: Principal = {
  organizationId: 'acme',
  organizationTier: 'basic',
  keyId: 'key-1',
  userId: 'person-1',
  scopes: new Set(),
  allowedModels: undefined,
};
const api: LimitedRoute = { methods: ['GET'], path: '/api/keys', isModelCall: false };
const model: LimitedRoute = { methods: ['POST'], path: '/v1/embeddings', isModelCall: true };

const shown = (takes: readonly BucketTake[]) =>
  takes.map(({ policy, key, cost }) => `${policy.name} ${key}${cost === undefined ? '' : cost}`);

function levels(route: LimitedRoute, who: Partial<Principal> | null, more: Partial<RequestLimitOptions> = {}): string[] {
  const limits = createRequestLimits({ ...options, ...more });
  return shown(limits.forRoute(route)(who && { ...principal, ...who }, '203.0.113.7'));
}

describe('a request is counted', () => {
  test('globally and by its address when nobody is known', () => {
    expect(levels(api, null)).toEqual(['global-minute everybody', 'ip-minute 203.0.113.7']);
    expect(levels(model, null)).toEqual(['global-minute everybody', 'ip-minute 203.0.113.7']);
    expect(levels({ methods: [], path: undefined, isModelCall: false }, null)).toEqual([
      'global-minute everybody',
      'ip-minute 203.0.113.7',
    ]);
  });

  test('globally and by person, key and organization when they are', () => {
    expect(levels(api, {})).toEqual([
      'global-minute everybody',
      'user-minute person-1',
      'key-hour key-1',
      'organization-minute acme',
      'organization-hour acme',
    ]);
    expect(levels(api, { userId: undefined })).not.toContain('user-minute person-1');
  });

  test('not globally when it is a call of a model', () => {
    expect(levels(model, {})[0]).toBe('user-minute person-1');
  });

  test('by the tier of its organization; one without limits is counted all the same', () => {
    expect(levels(model, { organizationTier: 'unlimited' }).at(-1)).toBe('organization-minute acme');
    const limits = createRequestLimits(options);
    const [take] = limits
      .forRoute(model)({ ...principal, organizationTier: 'unlimited', userId: undefined }, '')
      .slice(-1);
    expect(take!.policy.limit).toBe(Number.POSITIVE_INFINITY);
  });

  test('only by the levels that there are', () => {
    const none = { global: undefined, ip: undefined, user: undefined, key: undefined };
    expect([levels(api, null, { levels: none }), levels(model, {}, { levels: none })]).toEqual([
      [],
      ['organization-minute acme', 'organization-hour acme'],
    ]);
  });
});

test('a tier that is not configured counts as basic, and that is said once', () => {
  const heard: unknown[] = [];
  onTestFinished(tierUnknown.subscribe((event) => heard.push(event)));
  const of = createRequestLimits(options).forRoute(model);
  for (let call = 0; call < 3; call++)
    expect(shown(of({ ...principal, organizationTier: 'gone' }, ''))).toContain('organization-hour acme');
  expect(heard).toEqual([{ tier: 'gone', organizationId: 'acme' }]);
});

describe('an endpoint', () => {
  const endpoint = { name: 'POST /v1/embeddings', method: 'POST', path: '/v1/embeddings', requestsPerMinute: 5, exempt: false } as const;
  const last = (per: 'everybody' | 'ip' | 'user' | 'key' | 'organization', who: Partial<Principal> | null) =>
    levels(model, who, { endpoints: [{ ...endpoint, per }] }).at(-1);

  test.each([
    ['everybody', {}, 'everybody'],
    ['everybody', null, 'everybody'],
    ['ip', {}, '203.0.113.7'],
    ['user', {}, 'person-1'],
    ['user', { userId: undefined }, 'key-1'],
    ['key', {}, 'key-1'],
    ['organization', {}, 'acme'],
    ['organization', null, '203.0.113.7'],
    ['key', null, '203.0.113.7'],
  ] as const)('per %s counts %o as %s', (per, who, key) => expect(last(per, who)).toBe(`endpoint-post-v1-embeddings-minute ${key}`));

  test('is a level beside the others, on its route and method only', () => {
    const endpoints = [{ ...endpoint, per: 'key' as const }];
    expect(levels(model, {}, { endpoints })).toHaveLength(5);
    expect(levels({ ...model, methods: ['GET'] }, {}, { endpoints })).toHaveLength(4);
    expect(levels({ ...model, path: '/v1/messages' }, {}, { endpoints })).toHaveLength(4);
    expect(levels({ ...model, methods: ['GET'] }, {}, { endpoints: [{ ...endpoints[0]!, method: undefined }] })).toHaveLength(5);
  });

  test('that is exempt is counted nowhere', () => {
    expect(levels(model, {}, { endpoints: [{ ...endpoint, requestsPerMinute: undefined as never, per: 'key', exempt: true }] })).toEqual(
      [],
    );
  });

  test('has buckets of its own, however alike the names', () => {
    const alike = ['POST /v1/a-b', 'POST /v1/a/b', `/${'x'.repeat(100)}1`, `/${'x'.repeat(100)}2`].map((name) => ({
      ...endpoint,
      name,
      path: '/v1/embeddings',
      per: 'key' as const,
    }));
    const names = levels(model, {}, { endpoints: alike }).slice(4);
    expect(new Set(names).size).toBe(4);
  });

  test('that no route has is refused, by name', () => {
    const limits = createRequestLimits({
      ...options,
      endpoints: [
        { ...endpoint, per: 'key' },
        { ...endpoint, name: 'GET /api/kyes', path: '/api/kyes', per: 'key' },
      ],
    });
    limits.forRoute(model);
    expect(() => limits.refuseUnknownEndpoints()).toThrow(/no route GET \/api\/kyes/);
    expect(() => limits.refuseUnknownEndpoints()).not.toThrow(/embeddings/);
  });
});

test('shadow is of one level, or of all', () => {
  const shadowed = (more: Partial<RequestLimitOptions>) =>
    createRequestLimits({ ...options, ...more })
      .forRoute(api)(principal, '')
      .map(({ policy }) => policy.shadow);
  expect(shadowed({ levels: { ...options.levels, key: { requestsPerMinute: 1, shadow: true } } })).toEqual([
    false,
    false,
    true,
    false,
    false,
  ]);
  expect(shadowed({ shadow: true })).toEqual([true, true, true, true, true]);
});
