import type { Clock, Random } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import {
  bootstrap,
  createDatabaseKeyDirectory,
  createDatabaseKeySignal,
  createKeyAuthenticator,
  createKeyService,
  createKeyStore,
  createOrganizationService,
  createOrganizationStore,
  type KeyService,
  type OrganizationService,
} from '../features/identity/index.ts';
import type { Principal } from '../model/index.ts';
import type { AuditTrail } from '../platform/audit/index.ts';
import type { KeyRing } from '../platform/keyring/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';
import { spillFolderOf } from './spill.ts';

export interface IdentityOptions {
  readonly configuration: Configuration;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  /** The tiers that an organization can be given, at this moment. */
  readonly tierNames: () => readonly string[];
}

export interface Identity {
  readonly keys: KeyService;
  readonly organizations: OrganizationService;
  /** The operator's key, on the first start only. */
  readonly operatorKey: string | undefined;
  authenticate(secret: string): Principal | Promise<Principal>;
  /** Whether the key is in memory and good. */
  remembers(secret: string): boolean;
}

/** Keys: the first one, those who hold one, and the service that makes and ends them. */
export async function openIdentity({
  configuration,
  database,
  keyRing,
  audit,
  clock,
  random,
  closers,
  tierNames,
}: IdentityOptions): Promise<Identity> {
  const first = await bootstrap({ database, ring: keyRing, audit, clock, random, givenKey: configuration.secrets.bootstrapKey?.reveal() });
  const authenticator = createKeyAuthenticator({
    directory: createDatabaseKeyDirectory(database),
    signal: createDatabaseKeySignal(database),
    ring: keyRing,
    clock,
    acceptsGivenSecrets: first.acceptsGivenSecrets,
    limits: { awayMs: spillFolderOf(configuration) === undefined ? 0 : configuration.spill.keySeconds * 1_000 },
  });
  await authenticator.start();
  closers.add('keys', () => authenticator.close());
  return {
    keys: createKeyService({ store: createKeyStore(database, audit), ring: keyRing, clock, random }),
    organizations: createOrganizationService({
      store: createOrganizationStore(database, audit),
      tierNames,
    }),
    operatorKey: first.operatorKey,
    authenticate: (secret) => authenticator.authenticate(secret),
    remembers: (secret) => authenticator.remembers(secret),
  };
}
