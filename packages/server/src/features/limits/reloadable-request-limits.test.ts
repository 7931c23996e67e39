import type { BucketTake } from '@holdfast/kit/ratelimit';
import { expect, test } from 'vitest';
import type { Principal } from '../../model/index.ts';
import { ReloadableRequestLimits, type LimitedRoute, type RequestLimitOptions } from './index.ts';

const options = (more: Partial<RequestLimitOptions> = {}): RequestLimitOptions => ({
  shadow: false,
  levels: { global: undefined, ip: { requestsPerMinute: 100 }, user: undefined, key: undefined },
  tiers: { basic: { requestsPerMinute: 30 } },
  endpoints: [],
  ...more,
});
const endpoint = (path: string) => ({
  name: path,
  method: undefined,
  path,
  per: 'everybody' as const,
  exempt: false,
  requestsPerMinute: 5,
});
const route: LimitedRoute = { methods: ['GET'], path: '/api/keys', isModelCall: false };
const principal = { organizationId: 'acme', organizationTier: 'basic', keyId: 'k', userId: undefined } as Principal;
const shown = (takes: readonly BucketTake[]) => takes.map(({ policy, key }) => `${policy.name} ${policy.limit} ${key}`);

test('a route that was added before goes by the limits in force, from the moment they are', () => {
  const limits = new ReloadableRequestLimits(options());
  const levels = limits.forRoute(route);
  expect(shown(levels(principal, 'a'))).toEqual(['organization-minute 30 acme']);
  const commit = limits.prepare(options({ tiers: { basic: { requestsPerMinute: 7 } }, endpoints: [endpoint('/api/keys')] }));
  expect(shown(levels(principal, 'a'))).toEqual(['organization-minute 30 acme']);
  commit();
  expect(shown(levels(principal, 'a'))).toEqual(['organization-minute 7 acme', 'endpoint-api-keys-minute 5 everybody']);
  expect([shown(limits.ofCaller(principal)), shown(limits.ofOrganization('acme', 'basic')), shown(limits.ofAddress('a'))]).toEqual([
    ['organization-minute 7 acme'],
    ['organization-minute 7 acme'],
    ['ip-minute 100 a'],
  ]);
});

test('limits can be switched off and on again', () => {
  const limits = new ReloadableRequestLimits(undefined);
  const levels = limits.forRoute(route);
  expect([levels(principal, 'a'), limits.ofCaller(principal), limits.ofAddress('a'), limits.ofOrganization('o', 'basic')]).toEqual([
    [],
    [],
    [],
    [],
  ]);
  limits.refuseUnknownEndpoints();
  limits.prepare(options())();
  expect(levels(principal, 'a')).toHaveLength(1);
  limits.prepare(undefined)();
  expect(levels(principal, 'a')).toEqual([]);
});

test('limits of a route that there is not are refused, and those in force stay', () => {
  const limits = new ReloadableRequestLimits(options());
  const levels = limits.forRoute(route);
  expect(() => limits.prepare(options({ endpoints: [endpoint('/api/kyes')] }))).toThrow(/no route \/api\/kyes/);
  expect(shown(levels(null, 'a'))).toEqual(['ip-minute 100 a']);
});
