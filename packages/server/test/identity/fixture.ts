import { createFakeClock, type FakeClock } from '@holdfast/kit/testing';
import { createUuidV7, systemClock, systemRandom, type Clock } from '@holdfast/kit/time';
import {
  createDatabaseKeyDirectory,
  createDatabaseKeySignal,
  createKeyAuthenticator,
  createKeyService,
  createKeyStore,
  type KeyActor,
  type KeyAuthenticator,
  type KeyAuthenticatorOptions,
  type KeyService,
} from '../../src/features/identity/index.ts';
import { scopes as allScopes } from '../../src/model/principal.ts';
import { createKeyRing } from '../../src/platform/keyring/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { createTestTrail } from '../support/audit.ts';
import type { TestDatabase } from '../support/postgres.ts';

export const ring = createKeyRing([{ version: 1, secret: Buffer.alloc(32, 1) }]);
export const newId = createUuidV7(systemClock, systemRandom);

export interface Instance {
  readonly database: Database;
  readonly service: KeyService;
  readonly authenticator: KeyAuthenticator;
  close(): Promise<void>;
}

/** One server's part of identity: its own connections and its own memory. */
export async function startInstance(
  postgres: TestDatabase,
  clock: Clock = systemClock,
  limits: KeyAuthenticatorOptions['limits'] = {},
): Promise<Instance> {
  const database = await postgres.open();
  const service = createKeyService({ store: createKeyStore(database, createTestTrail(database)), ring, clock, random: systemRandom });
  const authenticator = createKeyAuthenticator({
    directory: createDatabaseKeyDirectory(database),
    signal: createDatabaseKeySignal(database),
    ring,
    clock,
    acceptsGivenSecrets: false,
    limits,
  });
  await authenticator.start();
  return {
    database,
    service,
    authenticator,
    async close() {
      await authenticator.close();
      await database.close();
    },
  };
}

/** Starts at the real time, so that what PostgreSQL stamps and what the test stamps can be compared. */
export function clockFromNow(): FakeClock {
  return createFakeClock({ nowMs: systemClock.now() });
}

export async function makeOrganization(database: Database, slug: string): Promise<string> {
  const id = newId();
  await database.asOperator((transaction) => transaction.insertInto('identity.organization').values({ id, name: slug, slug }).execute());
  return id;
}

export function actorOf(organizationId: string, over: Partial<KeyActor> = {}): KeyActor {
  return { organizationId, keyId: undefined, scopes: new Set(allScopes), allowedModels: undefined, ...over };
}

/** What the key is refused with; undefined when it is accepted. */
export async function refusalOf(authenticator: KeyAuthenticator, secret: string): Promise<string | undefined> {
  try {
    await authenticator.authenticate(secret);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Milliseconds until the condition holds; throws when it does not within `withinMs`. */
export async function timeUntil(withinMs: number, holds: () => Promise<boolean> | boolean): Promise<number> {
  const startedAt = systemClock.monotonic();
  for (;;) {
    if (await holds()) return systemClock.monotonic() - startedAt;
    if (systemClock.monotonic() - startedAt > withinMs) throw new Error(`the condition did not hold within ${withinMs} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
