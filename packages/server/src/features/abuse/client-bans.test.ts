import { createBanBook, createClientIpResolver, createMemoryBanStore, parseIp, type BanBook, type ClientIp } from '@holdfast/kit/security';
import { createFakeClock, type FakeClock } from '@holdfast/kit/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { createClientBans, type ClientBans } from './client-bans.ts';

const resolver = createClientIpResolver();
const client = (peer: string): ClientIp => resolver.resolve({ peer, header: undefined });

let clock: FakeClock;
let book: BanBook;
let bans: ClientBans;
let lookedUp: string[];

beforeEach(async () => {
  clock = createFakeClock();
  book = createBanBook({ store: createMemoryBanStore(), clock });
  await book.start();
  lookedUp = [];
  bans = createClientBans({
    book,
    clock,
    isRemembered: (secret) => secret === 'remembered',
    authenticate: async (secret) => {
      lookedUp.push(secret);
      if (secret !== 'good') throw new Error('not good');
    },
  });
  return () => book.close();
});

const banned = (address: string) => book.ban(client(address).key, 'key_guessing');

test('whoever is not banned passes, and whoever is learns when the ban ends', async () => {
  expect(bans.check(client('203.0.113.7'))).toBeUndefined();
  banned('203.0.113.7');
  expect(bans.check(client('203.0.113.7'))?.retryAfterSeconds).toBe(300);
  clock.advance(299_500);
  expect(bans.check(client('203.0.113.7'))?.retryAfterSeconds).toBe(0.5);
  clock.advance(500);
  expect(bans.check(client('203.0.113.7'))).toBeUndefined();
  await book.add({ range: '203.0.113.8' });
  expect(bans.check(client('203.0.113.8'))).toEqual({ retryAfterSeconds: undefined });
});

test('a trusted proxy is let in, also one that is known by its place alone', async () => {
  await book.add({ range: '203.0.113.0/24' });
  const byPlace = createClientIpResolver({ trustedHops: 1 });
  expect(bans.check(byPlace.resolve({ peer: '203.0.113.9', header: undefined }))).toBeUndefined();
  expect(bans.check(byPlace.resolve({ peer: '203.0.113.9', header: '203.0.113.10' }))).toBeDefined();
  expect(book.check(parseIp('203.0.113.9')!)).toBeDefined();
});

describe('a good key passes the ban of a detector', () => {
  test('at once from memory, and after one look-up otherwise', async () => {
    banned('203.0.113.7');
    const ban = bans.check(client('203.0.113.7'))!;
    expect(ban.passes!('remembered')).toBe(true);
    expect(lookedUp).toEqual([]);
    expect(await ban.passes!('good')).toBe(true);
    expect(lookedUp).toEqual(['good']);
  });

  test('but only one key a second is looked up for a banned client, whoever sends it', async () => {
    banned('203.0.113.7');
    banned('203.0.113.8');
    const passes = (address: string, secret: string) => bans.check(client(address))!.passes!(secret);
    expect(await passes('203.0.113.7', 'guess')).toBe(false);
    for (let at = 0; at < 100; at++) expect(passes('203.0.113.7', `guess-${at}`)).toBe(false);
    expect(await passes('203.0.113.8', 'good')).toBe(true);
    expect(lookedUp).toEqual(['guess', 'good']);
    expect(passes('203.0.113.7', 'remembered')).toBe(true);
    clock.advance(1_000);
    expect(await passes('203.0.113.7', 'good')).toBe(true);
  });

  test('and never that of a person', async () => {
    await book.add({ range: '203.0.113.7', endsAtMs: clock.now() + 1_000 });
    expect(bans.check(client('203.0.113.7'))!.passes).toBeUndefined();
  });
});
