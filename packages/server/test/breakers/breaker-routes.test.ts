import { HoldfastError } from '@holdfast/kit/errors';
import { createHealthRegistry } from '@holdfast/kit/health';
import { createBreakerGroup, createCallContext, createLocalBreakerStore, type BreakerStore } from '@holdfast/kit/resilience';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, onTestFinished, test } from 'vitest';
import { dependencyCircuits } from '../../src/composition/index.ts';
import { breakerMoved, breakerRoutes, createBreakerService, type BreakerMoved } from '../../src/features/breakers/index.ts';
import { initiatorOf } from '../../src/entry/http/index.ts';
import type { Principal } from '../../src/model/index.ts';
import { createServerClient } from '../../src/platform/server-client/index.ts';
import { createMemoryTrail } from '../support/audit.ts';
import { openDoor } from '../http/door.ts';

const operator: Principal = {
  organizationId: '019a9c5a-0000-7000-8000-000000000001',
  organizationTier: 'unlimited',
  keyId: '019a9c5a-0000-7000-8000-000000000002',
  userId: undefined,
  scopes: new Set(['operator']),
  allowedModels: undefined,
};
const user: Principal = { ...operator, scopes: new Set(['inference', 'usage:read', 'keys:write', 'audit:read']) };

/** The routes behind a real door. `store` is what instances share. */
async function open({ shared = false, store }: { shared?: boolean; store?: BreakerStore } = {}) {
  const clock = createFakeClock();
  const health = createHealthRegistry({ clock, jitter: 0 });
  onTestFinished(() => health.close());
  const audit = createMemoryTrail();
  const group = createBreakerGroup({ clock, ...(store && { store }) });
  const service = createBreakerService({
    models: { breakers: () => group.list(), find: (name) => group.find(name) },
    dependencies: () => dependencyCircuits(health),
    isShared: () => shared,
    audit,
  });
  const events: BreakerMoved[] = [];
  onTestFinished(breakerMoved.subscribe((event) => void events.push(event)));
  const door = await openDoor({
    authenticate: (secret) => {
      if (secret === 'operator') return operator;
      if (secret === 'user') return user;
      throw new HoldfastError('key_unknown');
    },
    addRoutes: (app) => app.register(breakerRoutes({ service, clock, principalOf: (request) => request.principal!, initiatorOf })),
  });
  const client = createServerClient({ origin: door.url, key: 'operator' });
  const fail = async (name: string, times = 5) => {
    for (let at = 0; at < times; at++)
      await group
        .get(name)
        .policy(() => Promise.reject(new HoldfastError('provider_overloaded', { detail: 'host 10.1.2.3 says secret things' })))(
          createCallContext(),
        )
        .catch(() => {});
  };
  return { clock, health, group, client, door, events, fail, told: audit.told };
}

const closed = {
  kind: 'model',
  state: 'closed',
  by_hand: false,
  changed_at: null,
  opened_at: null,
  next_probe_at: null,
  failures: 0,
  window_calls: null,
  totals: { succeeded: 0, failed: 0, refused: 0, opened: 0 },
  last_failure: null,
  settings: { mode: 'consecutive', threshold: 5, ratio: null, window_ms: null, recovery_ms: 60_000 },
};

test('the list shows every breaker with its state, and no word of what failed', async () => {
  const { clock, client, group, health, fail } = await open();
  let up = true;
  health.register('database', { critical: true, check: () => (up ? Promise.resolve() : Promise.reject(new Error('down'))) });
  health.register('disk', { critical: true, check: async () => {} });
  await clock.advanceAsync(0);
  up = false;
  health.markFailed('database');
  await clock.advanceAsync(0);
  group.get('primary/gpt-4o');
  await fail('backup/llama/3');
  const at = new Date(clock.now()).toISOString();
  const later = (ms: number) => new Date(clock.now() + ms).toISOString();
  const answer = await client.get('/health/circuit-breakers');
  expect(answer).toEqual({
    data: [
      {
        ...closed,
        name: 'database',
        kind: 'database',
        state: 'open',
        changed_at: at,
        opened_at: at,
        next_probe_at: later(1_000),
        failures: 2,
        totals: { succeeded: 1, failed: 2, refused: 0, opened: 1 },
        last_failure: { at, code: 'check_failed' },
        settings: null,
      },
      { ...closed, name: 'primary/gpt-4o' },
      {
        ...closed,
        name: 'backup/llama/3',
        state: 'open',
        changed_at: at,
        opened_at: at,
        next_probe_at: later(60_000),
        totals: { succeeded: 0, failed: 5, refused: 0, opened: 1 },
        last_failure: { at, code: 'provider_overloaded' },
      },
    ],
    next_cursor: null,
    shared: false,
  });
  expect(JSON.stringify(answer)).not.toContain('10.1.2.3');
  clock.advance(60_000);
  expect(await client.get('/health/circuit-breakers?state=half_open')).toMatchObject({
    data: [{ name: 'backup/llama/3', state: 'half_open' }],
  });
  expect(await client.get('/health/circuit-breakers?state=closed')).toMatchObject({ data: [{ name: 'primary/gpt-4o' }] });
  await expect(client.get('/health/circuit-breakers?state=ajar')).rejects.toMatchObject({ code: 'invalid_request' });
});

test('none but operators may look or touch', async () => {
  const { door, group } = await open();
  group.get('a/b');
  const body = JSON.stringify({ name: 'a/b' });
  for (const [method, path] of [
    ['GET', '/health/circuit-breakers'],
    ['POST', '/api/circuit-breakers/open'],
    ['POST', '/api/circuit-breakers/close'],
  ] as const) {
    const init = { method, ...(method === 'POST' && { body }) };
    const status = async (key?: string) =>
      (
        await fetch(door.url + path, {
          ...init,
          headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
        })
      ).status;
    expect([path, await status(), await status('user')]).toEqual([path, 401, 403]);
  }
  expect(group.find('a/b')!.state).toBe('closed');
});

test('what an operator opens stays open until it is closed, and what is opened for a time is not', async () => {
  const { clock, client, group, events } = await open({ shared: true });
  const breaker = group.get('a/b/c');
  const opened = await client.post('/api/circuit-breakers/open', { name: 'a/b/c' });
  expect(opened).toMatchObject({ name: 'a/b/c', state: 'open', by_hand: true, next_probe_at: null, shared: true });
  clock.advance(1_000_000_000);
  expect(breaker.state).toBe('open');
  expect(await client.post('/api/circuit-breakers/close', { name: 'a/b/c' })).toMatchObject({ state: 'closed', by_hand: true });
  expect(breaker.state).toBe('closed');
  await client.post('/api/circuit-breakers/open', { name: 'a/b/c', for_seconds: 90 });
  clock.advance(89_999);
  expect(breaker.state).toBe('open');
  clock.advance(1);
  expect(breaker.state).toBe('half_open');
  const { keyId, organizationId } = operator;
  expect(events).toEqual([
    { name: 'a/b/c', action: 'open', forSeconds: undefined, keyId, organizationId, shared: true },
    { name: 'a/b/c', action: 'close', forSeconds: undefined, keyId, organizationId, shared: true },
    { name: 'a/b/c', action: 'open', forSeconds: 90, keyId, organizationId, shared: true },
  ]);
});

test('says when only this instance obeys, and that is no error', async () => {
  const local = createLocalBreakerStore();
  const store: BreakerStore = { ...local, publish: () => Promise.reject(new HoldfastError('redis_unavailable')) };
  const { client, group, events } = await open({ shared: true, store });
  group.get('a/b');
  expect(await client.post('/api/circuit-breakers/open', { name: 'a/b' })).toMatchObject({ state: 'open', by_hand: true, shared: false });
  expect(events).toMatchObject([{ shared: false }]);
});

test('refuses what it cannot move, and what it does not know', async () => {
  const { client, health, group } = await open();
  health.register('database', { critical: true, check: async () => {} });
  group.get('a/b');
  for (const action of ['open', 'close']) {
    const path = `/api/circuit-breakers/${action}`;
    await expect(client.post(path, { name: 'nothing/here' })).rejects.toMatchObject({ code: 'resource_not_found' });
    await expect(client.post(path, { name: 'database' })).rejects.toMatchObject({ code: 'invalid_request', details: [{ field: 'name' }] });
    for (const body of [
      {},
      { name: '' },
      { name: 'a/b', for: 3 },
      { name: 'a/b', for_seconds: 0 },
      { name: 'a/b', for_seconds: 1.5 },
      { name: 7 },
    ])
      await expect(client.post(path, body), JSON.stringify(body)).rejects.toMatchObject({ code: 'invalid_request' });
  }
  expect(group.find('a/b')!.state).toBe('closed');
});

test('other instances that move it at the same moment are a conflict', async () => {
  const local = createLocalBreakerStore();
  let generation = 100;
  const store: BreakerStore = {
    ...local,
    publish: () => ({ generation: generation++, state: 'closed', recoveryMs: 0, byHand: false }),
  };
  const { client, group } = await open({ shared: true, store });
  group.get('a/b');
  await expect(client.post('/api/circuit-breakers/open', { name: 'a/b' })).rejects.toMatchObject({ code: 'conflict' });
});
