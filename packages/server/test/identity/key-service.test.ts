import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FakeClock } from '@holdfast/kit/testing';
import { keyStatus, type KeyActor } from '../../src/features/identity/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { actorOf, clockFromNow, makeOrganization, refusalOf, startInstance, type Instance } from './fixture.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

let clock: FakeClock;
let own: TestDatabase;
let instance: Instance;
let acme: KeyActor;
let umbrella: KeyActor;
beforeEach(async () => {
  clock = clockFromNow();
  own = await postgres.createDatabase();
  instance = await startInstance(own, clock);
  acme = actorOf(await makeOrganization(instance.database, 'acme'));
  umbrella = actorOf(await makeOrganization(instance.database, 'umbrella'));
  return () => instance.close();
});

const refusedWith = (code: string, details?: unknown) => (details === undefined ? { code } : { code, details });

describe('a new key', () => {
  test('is who it was made to be, and its secret is stored nowhere', async () => {
    const { key, secret } = await instance.service.create(acme, {
      name: 'chat',
      scopes: ['inference', 'usage:read'],
      allowedModels: ['fast', 'fast'],
    });
    expect(await instance.authenticator.authenticate(secret)).toMatchObject({
      organizationId: acme.organizationId,
      keyId: key.id,
      scopes: new Set(['inference', 'usage:read']),
      allowedModels: new Set(['fast']),
    });
    const rows = await own.asSuperuser<{ row: string }>('select api_keys::text as row from holdfast.api_keys');
    expect(rows).toHaveLength(1);
    expect(rows[0]!.row).not.toContain(secret.slice(9));
    expect(rows[0]!.row).not.toContain(Buffer.from(secret).toString('hex'));
  });

  test('that should expire in the past is refused', async () => {
    const past = instance.service.create(acme, { name: 'k', scopes: ['inference'], expiresAt: new Date(clock.now()) });
    await expect(past).rejects.toMatchObject(refusedWith('invalid_request'));
  });

  test('works until it expires', async () => {
    const { secret } = await instance.service.create(acme, { name: 'k', scopes: ['inference'], expiresAt: new Date(clock.now() + 60_000) });
    expect(await refusalOf(instance.authenticator, secret)).toBeUndefined();
    clock.advance(60_000);
    expect(await refusalOf(instance.authenticator, secret)).toBe('key_expired');
  });
});

describe('nobody hands on what they have not', () => {
  test('a key without keys:write manages no keys', async () => {
    const weak = { ...acme, scopes: new Set(['inference', 'operator'] as const) };
    const { key } = await instance.service.create(acme, { name: 'k', scopes: ['inference'] });
    for (const attempt of [
      () => instance.service.create(weak, { name: 'k', scopes: ['inference'] }),
      () => instance.service.list(weak, { limit: 10, beforeId: undefined }),
      () => instance.service.get(weak, key.id),
      () => instance.service.rotate(weak, key.id, {}),
      () => instance.service.revoke(weak, key.id),
    ]) {
      await expect(attempt()).rejects.toMatchObject(refusedWith('scope_missing', { scope: 'keys:write' }));
    }
  });

  test('a key makes none with more scopes than it has', async () => {
    const manager = { ...acme, scopes: new Set(['keys:write', 'inference'] as const) };
    await expect(instance.service.create(manager, { name: 'k', scopes: ['inference', 'operator'] })).rejects.toMatchObject(
      refusedWith('scope_missing', { scope: 'operator' }),
    );
  });

  test('a key gets no secret of a stronger one by rotating it', async () => {
    const { key, secret } = await instance.service.create(acme, { name: 'operator', scopes: ['operator'] });
    const manager = { ...acme, scopes: new Set(['keys:write'] as const) };
    await expect(instance.service.rotate(manager, key.id, { graceSeconds: 0 })).rejects.toMatchObject(refusedWith('scope_missing'));
    expect(await refusalOf(instance.authenticator, secret)).toBeUndefined();
  });

  test('a key that may use some models makes none that may use others', async () => {
    const limited = { ...acme, allowedModels: new Set(['fast']) };
    await expect(
      instance.service.create(limited, { name: 'k', scopes: ['inference'], allowedModels: ['fast', 'dear'] }),
    ).rejects.toMatchObject(refusedWith('model_not_allowed', { allowed_models: ['dear'] }));
    const { key } = await instance.service.create(limited, { name: 'k', scopes: ['inference'] });
    expect(key.allowedModels).toEqual(['fast']);
    const free = await instance.service.create(acme, { name: 'free', scopes: ['inference'] });
    await expect(instance.service.rotate(limited, free.key.id, {})).rejects.toMatchObject(refusedWith('model_not_allowed'));
  });
});

describe('a key of another organization', () => {
  test('does not exist, whatever is asked of it, and stays as it is', async () => {
    const { key, secret } = await instance.service.create(acme, { name: 'k', scopes: ['inference', 'operator'] });
    for (const attempt of [
      () => instance.service.get(umbrella, key.id),
      () => instance.service.rotate(umbrella, key.id, {}),
      () => instance.service.revoke(umbrella, key.id),
    ]) {
      await expect(attempt()).rejects.toMatchObject(refusedWith('resource_not_found'));
    }
    expect((await instance.service.list(umbrella, { limit: 10, beforeId: undefined })).keys).toEqual([]);
    expect(await refusalOf(instance.authenticator, secret)).toBeUndefined();
    expect(keyStatus(await instance.service.get(acme, key.id), clock.now())).toBe('active');
  });
});

describe('a list', () => {
  test('shows every key once over its pages, newest first', async () => {
    const made: string[] = [];
    for (let i = 0; i < 7; i += 1) {
      clock.advance(1);
      made.unshift((await instance.service.create(acme, { name: `k${i}`, scopes: ['inference'] })).key.id);
    }
    const seen: string[] = [];
    let beforeId: string | undefined;
    for (;;) {
      const page = await instance.service.list(acme, { limit: 3, beforeId });
      seen.push(...page.keys.map((key) => key.id));
      beforeId = seen.at(-1);
      if (!page.more) break;
    }
    expect(seen).toEqual(made);
  });
});

describe('a rotated key', () => {
  test('works beside the new one until its grace period ends', async () => {
    const old = await instance.service.create(acme, { name: 'k', scopes: ['inference'], allowedModels: ['fast'] });
    const next = await instance.service.rotate(acme, old.key.id, { graceSeconds: 3600 });
    expect(next.key).toMatchObject({ name: 'k', scopes: ['inference'], allowedModels: ['fast'], expiresAt: undefined });
    expect(next.replaced).toMatchObject({ id: old.key.id, replacedBy: next.key.id, expiresAt: new Date(clock.now() + 3_600_000) });
    clock.advance(3_599_999);
    expect(await refusalOf(instance.authenticator, old.secret)).toBeUndefined();
    expect(await refusalOf(instance.authenticator, next.secret)).toBeUndefined();
    clock.advance(1);
    expect(await refusalOf(instance.authenticator, old.secret)).toBe('key_expired');
    expect(await refusalOf(instance.authenticator, next.secret)).toBeUndefined();
  });

  test('has a day of grace when nothing is said, and none with 0', async () => {
    const first = await instance.service.create(acme, { name: 'k', scopes: ['inference'] });
    expect((await instance.service.rotate(acme, first.key.id, {})).replaced.expiresAt).toEqual(new Date(clock.now() + 86_400_000));
    const second = await instance.service.create(acme, { name: 'k', scopes: ['inference'] });
    await instance.service.rotate(acme, second.key.id, { graceSeconds: 0 });
    expect(await refusalOf(instance.authenticator, second.secret)).toBe('key_expired');
  });

  test('never lives longer than it would have', async () => {
    const expiresAt = new Date(clock.now() + 60_000);
    const old = await instance.service.create(acme, { name: 'k', scopes: ['inference'], expiresAt });
    const { key, replaced } = await instance.service.rotate(acme, old.key.id, {});
    expect(replaced.expiresAt).toEqual(expiresAt);
    expect(key.expiresAt).toEqual(expiresAt);
  });

  test('is not rotated again, nor one that works no longer', async () => {
    const replaced = await instance.service.create(acme, { name: 'k', scopes: ['inference'] });
    const { key } = await instance.service.rotate(acme, replaced.key.id, {});
    await expect(instance.service.rotate(acme, replaced.key.id, {})).rejects.toMatchObject(
      refusedWith('conflict', { id: replaced.key.id, status: 'replaced', replaced_by: key.id }),
    );
    await instance.service.revoke(acme, key.id);
    await expect(instance.service.rotate(acme, key.id, {})).rejects.toMatchObject(
      refusedWith('conflict', { id: key.id, status: 'revoked' }),
    );
  });

  test('twice at the same time has one successor', async () => {
    const { key } = await instance.service.create(acme, { name: 'k', scopes: ['inference'] });
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => instance.service.rotate(acme, key.id, {})));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect((await instance.service.list(acme, { limit: 10, beforeId: undefined })).keys).toHaveLength(2);
  });
});

describe('revoking', () => {
  test('may be repeated and keeps the first time', async () => {
    const { key } = await instance.service.create(acme, { name: 'k', scopes: ['inference'] });
    const first = await instance.service.revoke(acme, key.id);
    clock.advance(5_000);
    expect(await instance.service.revoke(acme, key.id)).toEqual(first);
  });

  test('never takes the last operator key of the instance', async () => {
    const { key, secret } = await instance.service.create(acme, { name: 'operator', scopes: ['operator'] });
    await expect(instance.service.revoke(acme, key.id)).rejects.toMatchObject(refusedWith('conflict'));
    expect(await refusalOf(instance.authenticator, secret)).toBeUndefined();
    await instance.service.create(umbrella, { name: 'operator', scopes: ['operator'] });
    expect((await instance.service.revoke(acme, key.id)).revokedAt).toEqual(new Date(clock.now()));
  });

  test('counts no operator key that is about to end anyway', async () => {
    const old = await instance.service.create(acme, { name: 'operator', scopes: ['operator'] });
    const next = await instance.service.rotate(acme, old.key.id, {});
    await expect(instance.service.revoke(acme, next.key.id)).rejects.toMatchObject(refusedWith('conflict'));
    expect((await instance.service.revoke(acme, old.key.id)).revokedAt).toBeDefined();
  });

  test('of the last two operator keys at once leaves one', async () => {
    const [a, b] = [
      await instance.service.create(acme, { name: 'a', scopes: ['operator'] }),
      await instance.service.create(umbrella, { name: 'b', scopes: ['operator'] }),
    ];
    const results = await Promise.allSettled([instance.service.revoke(acme, a.key.id), instance.service.revoke(umbrella, b.key.id)]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
