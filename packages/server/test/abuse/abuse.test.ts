import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import { abuseDetected, type AbuseDetected, type ClientIp } from '@holdfast/kit/security';
import { createSeededRandom } from '@holdfast/kit/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { mmdbFile } from '../../../../test/support/mmdb-file.ts';
import { Closers, openAbuse } from '../../src/composition/index.ts';
import { loadConfiguration } from '../../src/config/index.ts';
import { forwardingIgnored } from '../../src/features/abuse/index.ts';
import { clockFromNow } from '../identity/fixture.ts';
import { createTestTrail } from '../support/audit.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
let folder: string;
beforeAll(async () => {
  postgres = await startTestDatabase();
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-abuse-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await postgres.stop();
});

let found: AbuseDetected[];
beforeEach(() => {
  found = [];
  return abuseDetected.subscribe((event) => found.push(event));
});

/** What the watch does not look at. */
const ofTheDoor = {
  ...{ method: 'GET', route: undefined, isModelCall: false, organizationId: undefined },
  initiator: { actor: { type: 'anonymous' } },
} as const;

/** What the server has of it, on the table that the tests of this file share. */
async function open(env: Record<string, string> = {}) {
  const clock = clockFromNow();
  const database = await postgres.open();
  const closers = new Closers();
  const abuse = await openAbuse({
    configuration: loadConfiguration({ env, cwd: folder }),
    database,
    audit: createTestTrail(database),
    clock,
    random: createSeededRandom(1),
    closers,
    identity: {
      remembers: () => false,
      authenticate: (secret) => {
        throw new HoldfastError(secret === 'away' ? 'database_unavailable' : 'key_unknown');
      },
    },
    metrics: undefined,
  });
  onTestFinished(() => closers.closeAll((_part, error) => expect(error).toBeUndefined()));
  const client = (peer: string, header?: string): ClientIp => abuse.door.clientIp!.resolve({ peer, header });
  const refuse = (address: string, more: { readonly secret?: string; readonly forwarded?: boolean; readonly path?: string }) =>
    abuse.door.onRefusal?.({
      code: more.secret === undefined ? 'route_not_found' : 'key_unknown',
      unknownRoute: more.secret === undefined,
      keyFault: more.secret === undefined ? undefined : 'key_unknown',
      client: client(address),
      path: more.path ?? '/',
      secret: more.secret,
      authenticated: false,
      userAgent: undefined,
      forwarded: more.forwarded ?? false,
      ...ofTheDoor,
    });
  async function scan(address: string, paths: number): Promise<void> {
    for (let at = 0; at < paths; at++) refuse(address, { path: `/x-${at}` });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { ...abuse, clock, client, refuse, scan, isBanned: (address: string) => abuse.door.bans!.check(client(address)) !== undefined };
}

describe('the settings are those of the detectors', () => {
  test('thresholds', async () => {
    const { scan, refuse, isBanned } = await open({ HOLDFAST_ABUSE_SCANNING_THRESHOLD: '3', HOLDFAST_ABUSE_KEY_GUESSING_THRESHOLD: '2' });
    await scan('203.0.113.1', 3);
    for (const secret of ['a', 'b']) refuse('203.0.113.2', { secret });
    expect([isBanned('203.0.113.1'), isBanned('203.0.113.2')]).toEqual([false, false]);
    await scan('203.0.113.1', 4);
    refuse('203.0.113.2', { secret: 'c' });
    expect([isBanned('203.0.113.1'), isBanned('203.0.113.2')]).toEqual([true, true]);
  });

  test('more keys where a good one was used', async () => {
    const { refuse, isBanned, door, client } = await open({ HOLDFAST_ABUSE_KEY_GUESSING_THRESHOLD: '2' });
    door.onAuthenticated!(client('203.0.113.7'));
    for (let at = 0; at < 10; at++) refuse('203.0.113.7', { secret: `guess-${at}` });
    expect(isBanned('203.0.113.7')).toBe(false);
    refuse('203.0.113.7', { secret: 'guess-10' });
    expect(isBanned('203.0.113.7')).toBe(true);
  });

  test('windows', async () => {
    const { scan, isBanned, clock } = await open({ HOLDFAST_ABUSE_SCANNING_THRESHOLD: '3', HOLDFAST_ABUSE_SCANNING_WINDOW_MS: '1000' });
    for (let times = 0; times < 5; times++) {
      await scan('203.0.113.3', 3);
      clock.advance(1_000);
    }
    expect(isBanned('203.0.113.3')).toBe(false);
  });

  test('durations, which grow', async () => {
    const { scan, clock, door, client } = await open({
      HOLDFAST_ABUSE_SCANNING_THRESHOLD: '1',
      HOLDFAST_ABUSE_BAN_FIRST_MS: '1000',
      HOLDFAST_ABUSE_BAN_FACTOR: '3',
      HOLDFAST_ABUSE_BAN_MAX_MS: '5000',
    });
    const lasted: (number | undefined)[] = [];
    for (let times = 0; times < 3; times++) {
      await scan('203.0.113.4', 2);
      const { retryAfterSeconds } = door.bans!.check(client('203.0.113.4'))!;
      lasted.push(retryAfterSeconds);
      clock.advance(1_000 * retryAfterSeconds!);
    }
    expect(lasted).toEqual([1, 3, 5]);
  });

  test('and whom never to ban', async () => {
    const { scan, isBanned, bans } = await open({ HOLDFAST_ABUSE_NEVER_BANNED: '203.0.113.5', HOLDFAST_TRUSTED_PROXIES: '203.0.113.6' });
    for (const address of ['203.0.113.5', '203.0.113.6', '127.0.0.1', '::1']) {
      await scan(address, 30);
      expect(isBanned(address), address).toBe(false);
      await expect(bans.add({ range: address }), address).rejects.toMatchObject({ code: 'invalid_request' });
    }
    expect(found).toHaveLength(4);
    expect(found.map(({ ban }) => ban)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

test('in shadow everything is announced and nobody is banned, but by a person', async () => {
  const { scan, isBanned, bans } = await open({ HOLDFAST_ABUSE_SHADOW: 'true' });
  await scan('203.0.113.10', 30);
  expect(isBanned('203.0.113.10')).toBe(false);
  expect(found).toEqual([expect.objectContaining({ kind: 'endpoint_scanning', client: '203.0.113.10', ban: undefined })]);
  await bans.add({ range: '203.0.113.10' });
  expect(isBanned('203.0.113.10')).toBe(true);
  await bans.lift('203.0.113.10');
});

test('switched off, nobody is looked for, and bans of people hold', async () => {
  const { door, watch, bans, isBanned } = await open({ HOLDFAST_ABUSE_ENABLED: 'false' });
  expect([watch, door.onRefusal, door.onAuthenticated]).toEqual([undefined, undefined, undefined]);
  await bans.add({ range: '203.0.113.11' });
  expect(isBanned('203.0.113.11')).toBe(true);
  await bans.lift('203.0.113.11');
});

test('a person who is seen in two countries within the time is told of, and not banned', async () => {
  const file = path.join(folder, 'countries.mmdb');
  writeFileSync(file, mmdbFile({ '203.0.113.0/24': { country: { iso_code: 'DE' } }, '198.51.100.0/24': { country: { iso_code: 'BR' } } }));
  const { watch, client, clock, isBanned } = await open({ HOLDFAST_GEOIP_FILE: file });
  watch!.personSeen('user-1', client('203.0.113.12'));
  clock.advance(60_000);
  watch!.personSeen('user-1', client('198.51.100.12'));
  expect(found).toEqual([expect.objectContaining({ kind: 'implausible_travel', subject: 'user-1', ban: undefined })]);
  expect(isBanned('198.51.100.12')).toBe(false);
});

test('a key that cannot be looked up is held against nobody on /v1', async () => {
  const { door, client, isBanned } = await open({ HOLDFAST_ABUSE_SCANNING_THRESHOLD: '1' });
  for (let at = 0; at < 30; at++) {
    door.onRefusal!({
      ...{ code: 'route_not_found', unknownRoute: true, keyFault: undefined, client: client('203.0.113.13'), path: `/v1/x-${at}` },
      ...{ secret: 'away', authenticated: false, userAgent: undefined, forwarded: false, ...ofTheDoor },
    });
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(isBanned('203.0.113.13')).toBe(false);
});

test('a forwarding header of somebody who is not trusted is told of once, since it may be a proxy that was forgotten', async () => {
  const told: string[] = [];
  onTestFinished(forwardingIgnored.subscribe(({ address }) => told.push(address)));
  const { refuse, clock } = await open();
  refuse('10.0.0.1', {});
  expect(told).toEqual([]);
  for (let times = 0; times < 3; times++) {
    refuse('10.0.0.1', { forwarded: true });
    clock.advance(3_600_000);
  }
  expect(told).toEqual(['10.0.0.1']);
});
