import { HoldfastError } from '@holdfast/kit/errors';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import { sql, type Transaction } from 'kysely';
import { scopes } from '../../model/index.ts';
import { Personal, systemItself, type AuditTrail } from '../../platform/audit/index.ts';
import type { KeyRing } from '../../platform/keyring/index.ts';
import type { Database, Schema } from '../../platform/postgres/index.ts';
import { readFirstStart, writeFirstStart, type FirstStart } from './first-start.ts';
import { givenSecretFault } from './given-secret.ts';
import { keyCreatedEvent } from './key-events.ts';
import { toApiKey } from './store.ts';
import { createKeySecret, isWellFormedKey, shownPrefix } from './key-format.ts';
import { createKeyHasher, digestToBytes } from './key-hash.ts';

export interface BootstrapOptions {
  readonly database: Pick<Database, 'asOperator'>;
  readonly ring: KeyRing;
  readonly audit: Pick<AuditTrail, 'write'>;
  readonly clock: Clock;
  readonly random: Random;
  /** HOLDFAST_BOOTSTRAP_KEY: becomes the operator's key of the first start. Later starts do not look at it. */
  readonly givenKey?: string | undefined;
}

export interface BootstrapResult {
  /** Whether this start was the first: exactly one is, also of instances that start together. */
  readonly firstStart: boolean;
  /** The organization that the first start made. */
  readonly organizationId: string;
  /** The operator's key, on the first start only. To be shown once and kept nowhere. */
  readonly operatorKey: string | undefined;
  /** Whether that key is a secret without the form of a key: what the authenticator must be told. */
  readonly acceptsGivenSecrets: boolean;
}

/** Held until the transaction ends, so that of instances that start together one makes the key and the others see it made. */
const firstStartLock = 4_862_910_312;

/**
 * On the first start makes the organization "Default" (slug `default`) and an operator's key with every scope. A process that dies
 * between the commit and showing the key has lost it; `holdfast keys create` makes another.
 * Throws `configuration_invalid` for a given key that is not fit to be one.
 */
export async function bootstrap(options: BootstrapOptions): Promise<BootstrapResult> {
  const { database, givenKey } = options;
  const fault = givenKey === undefined ? undefined : givenSecretFault(givenKey);
  if (fault !== undefined) {
    throw new HoldfastError('configuration_invalid', {
      detail: `HOLDFAST_BOOTSTRAP_KEY ${fault}`,
      details: [`HOLDFAST_BOOTSTRAP_KEY ${fault}`],
    });
  }
  return database.asOperator(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${firstStartLock}::bigint)`.execute(transaction);
    const before = await readFirstStart(transaction);
    if (before !== undefined) {
      return {
        firstStart: false,
        organizationId: before.organization_id,
        operatorKey: undefined,
        acceptsGivenSecrets: before.accepts_given_secrets,
      };
    }
    const secret = givenKey ?? createKeySecret(options.random);
    const organizationId = await makeFirst(transaction, options, secret);
    const acceptsGivenSecrets = !isWellFormedKey(secret);
    const value: FirstStart = { organization_id: organizationId, accepts_given_secrets: acceptsGivenSecrets };
    await writeFirstStart(transaction, value);
    return { firstStart: true, organizationId, operatorKey: secret, acceptsGivenSecrets };
  });
}

async function makeFirst(
  transaction: Transaction<Schema>,
  { ring, clock, random, audit }: BootstrapOptions,
  secret: string,
): Promise<string> {
  const createId = createUuidV7(clock, random);
  const hasher = createKeyHasher(ring);
  const createdAt = new Date(clock.now());
  const { id: organizationId } = await transaction
    .insertInto('identity.organization')
    .values({ id: createId(), name: 'Default', slug: 'default', tier: 'unlimited', createdAt })
    .returning('id')
    .executeTakeFirstOrThrow();
  const key = await transaction
    .insertInto('holdfast.api_keys')
    .values({
      id: createId(),
      organization_id: organizationId,
      name: 'operator',
      prefix: shownPrefix(secret),
      hash: digestToBytes(hasher.current(secret)),
      hash_key_version: hasher.version,
      scopes: [...scopes],
      created_at: createdAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit.write(
    transaction,
    {
      type: 'organization.created',
      organizationId,
      by: systemItself,
      resource: { type: 'organization', id: organizationId },
      details: { name: new Personal('name', 'Default'), slug: 'default', tier: 'unlimited' },
    },
    keyCreatedEvent(toApiKey(key), systemItself),
  );
  return organizationId;
}
