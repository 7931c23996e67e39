import type { ErrorCode } from '@holdfast/kit/errors';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { createMemoryTrail } from '../../../test/support/audit.ts';
import { FloodGate } from './flood-gate.ts';
import { createRefusedRequests, type RefusedRequest } from './refused-requests.ts';

const key = '019a9c5a-0000-7000-8000-000000000001';
const own = '019a9c5a-0000-7000-8000-00000000000a';
const other = '019a9c5a-0000-7000-8000-00000000000b';
const theirs = '019a9c5a-0000-7000-8000-0000000000ff';

const byKey: Partial<RefusedRequest> = { organizationId: own, initiator: { actor: { type: 'key', id: key } } };

function scene() {
  const clock = createFakeClock();
  const { told, ...audit } = createMemoryTrail();
  const gate = new FloodGate({ clock, onCounted: (event) => void told.push(event) });
  const asked: string[] = [];
  const refuse = createRefusedRequests({
    audit,
    gate,
    ownerOf: async (_route, id) => (asked.push(id), id === theirs ? { organizationId: other, type: 'key' } : undefined),
  });
  const refused = (code: ErrorCode, more: Partial<RefusedRequest> = {}): void =>
    refuse({
      ...{ code, keyFault: undefined, isModelCall: false, method: 'GET', route: '/api/keys/:id', path: `/api/keys/${theirs}` },
      ...{ organizationId: undefined, clientKey: '203.0.113.1', initiator: { actor: { type: 'anonymous' } }, ...more },
    });
  return { clock, told, refused, asked };
}

test.each([
  ['address_banned', {}, 'ban.enforced', null],
  ['key_missing', { keyFault: 'key_missing' }, 'authentication.failed', null],
  ['key_revoked', { keyFault: 'key_revoked' }, 'authentication.failed', null],
  ['rate_limited', {}, 'request.limited', null],
  ['rate_limited', byKey, 'request.limited', own],
  // A limit was what it was told; that its key was wrong is what counts.
  ['rate_limited', { keyFault: 'key_unknown' }, 'authentication.failed', null],
  ['scope_missing', byKey, 'access.denied', own],
  ['model_not_allowed', byKey, 'access.denied', own],
] as const)('%s %j is told as %s', (code, more, type, organizationId) => {
  const { told, refused } = scene();
  refused(code, more);
  expect(told).toMatchObject([{ type, organizationId, outcome: 'denied', details: { code: 'keyFault' in more ? more.keyFault : code } }]);
});

test.each([
  ['invalid_request', byKey],
  ['route_not_found', {}],
  ['internal_error', byKey],
  ['rate_limited', { ...byKey, isModelCall: true }],
  ['model_not_allowed', { ...byKey, isModelCall: true }],
] as const)('%s %j is not', (code, more) => {
  const { told, refused } = scene();
  refused(code, more);
  expect(told).toStrictEqual([]);
});

test('a guesser of keys leaves one event a minute and one that counts, however many keys are tried', () => {
  const { clock, told, refused } = scene();
  for (let at = 0; at < 10_000; at++) refused('key_unknown', { keyFault: 'key_unknown' });
  clock.advance(60_000);
  expect(told.map(({ details }) => details?.['count'])).toStrictEqual([undefined, 9_999]);
});

test('who asks for what is of another organization is told of to operators alone', async () => {
  const { told, refused, asked } = scene();
  refused('resource_not_found', byKey);
  refused('resource_not_found', { ...byKey, path: `/api/keys/${key}` });
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toStrictEqual([theirs, key]);
  expect(told.map(({ type, organizationId }) => [type, organizationId])).toStrictEqual([
    ['access.denied', own],
    ['access.denied', own],
    ['access.foreign', null],
  ]);
  expect(told[2]).toMatchObject({ resource: { type: 'key', id: theirs }, details: { organization_id: other, by_organization_id: own } });
});

test('nobody makes the server look for owners without end', async () => {
  const { refused, asked } = scene();
  for (let at = 0; at < 1_000; at++) refused('resource_not_found', byKey);
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toHaveLength(10);
});
