import { HoldfastError } from '@holdfast/kit/errors';
import { createFakeClock, createSeededRandom, type FakeClock } from '@holdfast/kit/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { createKeyRing } from '../../platform/keyring/index.ts';
import type { KeyAuthenticatorLimits } from './authenticator-options.ts';
import { createKeyAuthenticator, type KeyAuthenticator } from './authenticator.ts';
import { upkeepFailed } from './events.ts';
import type { KeyDirectory, KeyUse, StoredKey } from './key-directory.ts';
import { createKeySecret } from './key-format.ts';
import { createKeyHasher } from './key-hash.ts';

const oldRing = createKeyRing([{ version: 1, secret: Buffer.alloc(32, 1) }]);
const ring = createKeyRing([
  { version: 2, secret: Buffer.alloc(32, 2) },
  { version: 1, secret: Buffer.alloc(32, 1) },
]);
const random = createSeededRandom(1);

/** The table, in memory and in the hands of the test: answers can be held back, and the database can be away. */
class Table implements KeyDirectory {
  readonly keys = new Map<string, StoredKey>();
  readonly uses: KeyUse[][] = [];
  changes: { keyId: string; stamp: number }[] = [];
  finds: (readonly string[])[] = [];
  polls = 0;
  away = false;
  silent = false;
  release: (() => void) | undefined;
  #held: Promise<void> | undefined;
  #stamp = 0;

  add(secret: string, over: Partial<StoredKey> = {}, hashedUnder = ring): StoredKey {
    const digest = createKeyHasher(hashedUnder).current(secret);
    const key: StoredKey = {
      keyId: `key-${this.keys.size + 1}`,
      organizationId: 'org',
      organizationTier: 'unlimited',
      userId: undefined,
      digest,
      scopes: ['inference', 'from-the-future'],
      allowedModels: undefined,
      rateLimits: undefined,
      expiresAtMs: undefined,
      revoked: false,
      ...over,
    };
    this.keys.set(key.keyId, key);
    return key;
  }
  change(key: StoredKey, over: Partial<StoredKey> | undefined): void {
    if (over) this.keys.set(key.keyId, { ...key, ...over });
    else this.keys.delete(key.keyId);
    this.#stamp += 1;
    this.changes.push({ keyId: key.keyId, stamp: this.#stamp });
  }
  hold(): void {
    this.#held = new Promise((resolve) => (this.release = resolve));
  }
  async find(digests: readonly string[]) {
    this.finds.push(digests);
    await this.#answers();
    const found = [...this.keys.values()].filter((key) => digests.includes(key.digest));
    await this.#held;
    return found;
  }
  async changesSince(mark: string | undefined) {
    this.polls += 1;
    await this.#answers();
    const since = this.changes.filter(({ stamp }) => stamp > Number(mark ?? this.#stamp));
    return { mark: String(this.#stamp), changes: since.map(({ keyId, stamp }) => ({ id: keyId, stamp: String(stamp) })), truncated: false };
  }
  async markUsed(uses: readonly KeyUse[]) {
    await this.#answers();
    this.uses.push([...uses]);
  }
  async #answers(): Promise<void> {
    if (this.silent) await new Promise(() => {});
    if (this.away) throw new HoldfastError('database_unavailable');
  }
}

let clock: FakeClock;
let table: Table;
let notify: (keyId: string) => void;
let setConnected: (connected: boolean) => void;

beforeEach(() => {
  clock = createFakeClock();
  table = new Table();
});

async function started(
  limits: Partial<KeyAuthenticatorLimits> = {},
  over: { acceptsGivenSecrets?: boolean; start?: boolean } = {},
): Promise<KeyAuthenticator> {
  const authenticator = createKeyAuthenticator({
    directory: table,
    ring,
    clock,
    acceptsGivenSecrets: over.acceptsGivenSecrets ?? false,
    limits,
    signal: {
      subscribe: (listener) => ((notify = listener), () => {}),
      onStateChange: (listener) => ((setConnected = listener), () => {}),
    },
  });
  if (over.start !== false) await authenticator.start();
  return authenticator;
}

const newSecret = () => createKeySecret(random);

/** The code of the refusal, or undefined when the key was accepted; whether it came at once or later. */
async function refusalOf(authenticator: KeyAuthenticator, secret: string): Promise<string | undefined> {
  try {
    await authenticator.authenticate(secret);
    return undefined;
  } catch (error) {
    return (error as HoldfastError).code;
  }
}

describe('a good key', () => {
  test('is looked up once and then known at once', async () => {
    const authenticator = await started();
    const secret = newSecret();
    table.add(secret, { allowedModels: ['fast'] });
    const principal = await authenticator.authenticate(secret);
    expect(principal).toEqual({
      organizationId: 'org',
      organizationTier: 'unlimited',
      keyId: 'key-1',
      userId: undefined,
      scopes: new Set(['inference']),
      allowedModels: new Set(['fast']),
    });
    expect(authenticator.authenticate(secret)).toBe(principal);
    expect(table.finds).toHaveLength(1);
  });

  test('that many ask for at the same time is looked up once', async () => {
    const authenticator = await started();
    const secret = newSecret();
    table.add(secret);
    await Promise.all(Array.from({ length: 50 }, async () => authenticator.authenticate(secret)));
    expect(table.finds.flat()).toHaveLength(2);
  });

  test('hashed under an older version of the ring is known, with one hash from then on', async () => {
    const authenticator = await started();
    const secret = newSecret();
    table.add(secret, {}, oldRing);
    await authenticator.authenticate(secret);
    expect(authenticator.authenticate(secret)).not.toBeInstanceOf(Promise);
  });

  test('in use is looked up again in the background, and no call waits for it', async () => {
    const authenticator = await started({ refreshAgeMs: 45_000, maxAgeMs: 60_000 });
    const secret = newSecret();
    table.add(secret);
    await authenticator.authenticate(secret);
    for (let minute = 0; minute < 3; minute += 1) {
      await clock.advanceAsync(50_000);
      expect(authenticator.authenticate(secret)).not.toBeInstanceOf(Promise);
      await clock.advanceAsync(1);
    }
    expect(table.finds).toHaveLength(4);
  });

  test('is refused from the millisecond on in which it expires', async () => {
    const authenticator = await started();
    const secret = newSecret();
    table.add(secret, { expiresAtMs: clock.now() + 1000 });
    await authenticator.authenticate(secret);
    await clock.advanceAsync(999);
    expect(await refusalOf(authenticator, secret)).toBeUndefined();
    await clock.advanceAsync(1);
    expect(await refusalOf(authenticator, secret)).toBe('key_expired');
  });
});

describe('a bad key', () => {
  test.each(['', 'nonsense', 'hf_', `${createKeySecret(random)}x`, `sk-proj-${'a'.repeat(48)}`, 'x'.repeat(16_000)])(
    'without the form of a key (%.12s) costs no lookup',
    async (secret) => {
      const authenticator = await started();
      expect(await refusalOf(authenticator, secret)).toBe('key_malformed');
      expect(table.finds).toEqual([]);
    },
  );

  test('is named by what is wrong with it', async () => {
    const authenticator = await started();
    const revoked = newSecret();
    const expired = newSecret();
    table.add(revoked, { revoked: true, expiresAtMs: 1 });
    table.add(expired, { expiresAtMs: clock.now() });
    expect(await refusalOf(authenticator, newSecret())).toBe('key_unknown');
    expect(await refusalOf(authenticator, revoked)).toBe('key_revoked');
    expect(await refusalOf(authenticator, expired)).toBe('key_expired');
  });

  test('is remembered for a moment, and looked up again after it', async () => {
    const authenticator = await started({ refusalMs: 5_000 });
    const secret = newSecret();
    for (let i = 0; i < 3; i += 1) expect(await refusalOf(authenticator, secret)).toBe('key_unknown');
    expect(table.finds).toHaveLength(1);
    table.add(secret);
    await clock.advanceAsync(5_000);
    expect(await refusalOf(authenticator, secret)).toBeUndefined();
  });

  test('in any number pushes no good key out of memory', async () => {
    const authenticator = await started({ maxRefusals: 10, maxKeys: 10 });
    const good = newSecret();
    table.add(good);
    await authenticator.authenticate(good);
    for (let i = 0; i < 100; i += 1) expect(await refusalOf(authenticator, newSecret())).toBe('key_unknown');
    expect(authenticator.authenticate(good)).not.toBeInstanceOf(Promise);
  });

  test('in any number is asked for in few queries, and past the bound not at all', async () => {
    const authenticator = await started({ maxBatch: 100, maxWaiting: 250 });
    table.hold();
    const answers = Promise.all(Array.from({ length: 300 }, () => refusalOf(authenticator, newSecret())));
    await clock.advanceAsync(0);
    table.release!();
    const codes = await answers;
    expect(codes.filter((code) => code === 'key_unknown')).toHaveLength(251);
    expect(codes.filter((code) => code === 'database_unavailable')).toHaveLength(49);
    expect(table.finds).toHaveLength(4);
  });

  test('that was given as an arbitrary secret is known where such a one was given, and malformed otherwise', async () => {
    const secret = 'what-the-deployment-tool-made-0123456789';
    const other = 'another-secret-of-enough-characters-9876';
    table.add(secret);
    const strict = await started();
    expect(await refusalOf(strict, secret)).toBe('key_malformed');
    const lenient = await started({}, { acceptsGivenSecrets: true });
    expect(await refusalOf(lenient, secret)).toBeUndefined();
    expect(await refusalOf(lenient, other)).toBe('key_malformed');
    expect(await refusalOf(lenient, other)).toBe('key_malformed');
    expect(table.finds.flat()).toHaveLength(4);
  });
});

describe('a key that was taken away', () => {
  test('is refused as soon as the notification is heard', async () => {
    const authenticator = await started();
    const secret = newSecret();
    const key = table.add(secret);
    await authenticator.authenticate(secret);
    table.change(key, { revoked: true });
    notify(key.keyId);
    expect(await refusalOf(authenticator, secret)).toBe('key_revoked');
  });

  test.each([
    ['revoked', { revoked: true }, 'key_revoked'],
    ['deleted', undefined, 'key_unknown'],
    ['ended', { expiresAtMs: 1 }, 'key_expired'],
  ] as const)('is refused within a second without any notification when it was %s', async (_, over, code) => {
    const authenticator = await started();
    const secret = newSecret();
    const key = table.add(secret);
    await authenticator.authenticate(secret);
    table.change(key, over);
    expect(authenticator.authenticate(secret)).not.toBeInstanceOf(Promise);
    await clock.advanceAsync(1000);
    expect(await refusalOf(authenticator, secret)).toBe(code);
  });

  test('while its lookup was under way is not remembered as good', async () => {
    const authenticator = await started();
    const secret = newSecret();
    const key = table.add(secret);
    table.hold();
    const under = authenticator.authenticate(secret);
    await clock.advanceAsync(0);
    table.change(key, { revoked: true });
    notify(key.keyId);
    table.release!();
    await under;
    expect(await refusalOf(authenticator, secret)).toBe('key_revoked');
  });

  test('while nobody listened yet is not remembered as good', async () => {
    const authenticator = await started({}, { start: false });
    const secret = newSecret();
    const key = table.add(secret);
    await authenticator.authenticate(secret);
    table.change(key, { revoked: true });
    await authenticator.start();
    expect(await refusalOf(authenticator, secret)).toBe('key_revoked');
  });

  test('is found at once when the channel is lost or comes back', async () => {
    const authenticator = await started();
    const secret = newSecret();
    const key = table.add(secret);
    for (const connected of [false, true]) {
      table.keys.set(key.keyId, key);
      await clock.advanceAsync(6_000);
      expect(await refusalOf(authenticator, secret)).toBeUndefined();
      table.change(key, { revoked: true });
      setConnected(connected);
      await clock.advanceAsync(1);
      expect(await refusalOf(authenticator, secret)).toBe('key_revoked');
    }
  });

  test('leaves the others in memory, also while the same changes are told again and again', async () => {
    const authenticator = await started();
    const [gone, kept] = [newSecret(), newSecret()];
    const goneKey = table.add(gone);
    table.add(kept);
    await authenticator.authenticate(gone);
    await authenticator.authenticate(kept);
    table.change(goneKey, { allowedModels: ['fast'] });
    // A long transaction holds the mark back: every answer carries the change once more.
    const changes = [...table.changes];
    table.changesSince = async () => ({
      mark: '0',
      changes: changes.map(({ keyId, stamp }) => ({ id: keyId, stamp: String(stamp) })),
      truncated: false,
    });
    await clock.advanceAsync(1000);
    expect(authenticator.authenticate(kept)).not.toBeInstanceOf(Promise);
    await authenticator.authenticate(gone);
    await clock.advanceAsync(3000);
    expect(authenticator.authenticate(gone)).not.toBeInstanceOf(Promise);
  });

  test('among more than can be named empties the memory', async () => {
    const authenticator = await started();
    const secret = newSecret();
    table.add(secret);
    await authenticator.authenticate(secret);
    table.changesSince = async () => ({ mark: '9', changes: [], truncated: true });
    await clock.advanceAsync(1000);
    expect(authenticator.authenticate(secret)).toBeInstanceOf(Promise);
  });
});

describe('while the database is away', () => {
  test('a known key works for a minute after it was last confirmed, and no longer', async () => {
    const authenticator = await started({ maxAgeMs: 60_000 });
    const secret = newSecret();
    table.add(secret);
    await authenticator.authenticate(secret);
    table.away = true;
    await clock.advanceAsync(59_999);
    expect(await refusalOf(authenticator, secret)).toBeUndefined();
    await clock.advanceAsync(1);
    expect(await refusalOf(authenticator, secret)).toBe('database_unavailable');
    table.away = false;
    expect(await refusalOf(authenticator, secret)).toBeUndefined();
  });

  test('that is announced once, not with every question that fails', async () => {
    const tasks: string[] = [];
    const end = upkeepFailed.subscribe(({ task }) => tasks.push(task));
    const authenticator = await started();
    const secret = newSecret();
    table.add(secret);
    await authenticator.authenticate(secret);
    table.away = true;
    await clock.advanceAsync(20_000);
    end();
    expect(tasks).toEqual(['changes']);
  });

  test('a key that is not in memory is never called unknown', async () => {
    const authenticator = await started();
    table.away = true;
    expect(await refusalOf(authenticator, newSecret())).toBe('database_unavailable');
  });

  test('and does not even refuse, nobody waits longer than the limit', async () => {
    const authenticator = await started({ timeoutMs: 5_000 });
    table.silent = true;
    const answers = [refusalOf(authenticator, newSecret()), refusalOf(authenticator, newSecret())];
    await clock.advanceAsync(5_000);
    expect(await Promise.all(answers)).toEqual(['database_unavailable', 'database_unavailable']);
    table.silent = false;
    expect(await refusalOf(authenticator, newSecret())).toBe('key_unknown');
  });
});

describe('the time of last use', () => {
  test('is written once a minute, in one batch, with the latest time of each key', async () => {
    const authenticator = await started({ lastUsedIntervalMs: 60_000 });
    const [a, b] = [newSecret(), newSecret()];
    table.add(a);
    table.add(b);
    await authenticator.authenticate(a);
    await authenticator.authenticate(b);
    await clock.advanceAsync(30_000);
    await authenticator.authenticate(a);
    const latest = clock.now();
    expect(table.uses).toEqual([]);
    await clock.advanceAsync(30_000);
    expect(table.uses).toEqual([
      [
        { keyId: 'key-1', atMs: latest },
        { keyId: 'key-2', atMs: latest - 30_000 },
      ],
    ]);
    await clock.advanceAsync(60_000);
    expect(table.uses).toHaveLength(1);
  });

  test('is written when the server stops', async () => {
    const authenticator = await started();
    const secret = newSecret();
    table.add(secret);
    await authenticator.authenticate(secret);
    await authenticator.close();
    expect(table.uses.flat().map((use) => use.keyId)).toEqual(['key-1']);
    expect(clock.pendingTimers).toBe(0);
  });
});

test('nothing is asked of the database while no key is in use', async () => {
  const authenticator = await started({ maxAgeMs: 60_000 });
  const secret = newSecret();
  table.add(secret);
  await authenticator.authenticate(secret);
  await clock.advanceAsync(61_000);
  const polls = table.polls;
  await clock.advanceAsync(600_000);
  expect(table.polls).toBe(polls);
});
