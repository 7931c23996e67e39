import { HoldfastError } from '@holdfast/kit/errors';
import { createUuidV7, type Clock, type Random } from '@holdfast/kit/time';
import type { Principal, Scope } from '../../model/index.ts';
import { operatorAtTerminal, type Initiator } from '../../platform/audit/index.ts';
import type { KeyRing } from '../../platform/keyring/index.ts';
import { keyStatus, type ApiKey, type IssuedKey, type KeyStatus } from './api-key.ts';
import { keyChanged, type KeyChanged } from './events.ts';
import { assertMayGrant, assertMayManageKeys } from './grants.ts';
import { keyChangedEvent, keyCreatedEvent, keyRevokedEvent, keyRotatedEvent } from './key-events.ts';
import { createKeySecret, shownPrefix } from './key-format.ts';
import { createKeyHasher, digestToBytes } from './key-hash.ts';
import { assertWithinOwnLimits, limitsOfNewKey, toFields, type KeyRateLimitChanges, type KeyRateLimitFields } from './key-rate-limits.ts';
import type { KeyChanges, KeyPage, KeyStore, NewKeyRow } from './store.ts';

/** Who asks. At the command line the operator, with every scope and no key. */
export type KeyActor = Pick<Principal, 'organizationId' | 'scopes' | 'allowedModels' | 'rateLimits'> & {
  readonly keyId: string | undefined;
  /** For the audit log. By default the key, or the operator at the command line. */
  readonly by?: Initiator;
};

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** undefined: those of the key that asks. */
  readonly allowedModels?: readonly string[] | undefined;
  readonly expiresAt?: Date | undefined;
  /** Left out, or a field of it: those of the key that asks. */
  readonly rateLimits?: KeyRateLimitChanges | undefined;
}

export interface Rotation {
  /** How long the old key goes on. Default 24 h; 0 ends it at once. */
  readonly graceSeconds?: number | undefined;
  /** Of the new key; undefined keeps that of the old one. */
  readonly expiresAt?: Date | undefined;
}

export interface RotatedKey extends IssuedKey {
  readonly replaced: ApiKey;
}

/**
 * Keys of the organization of whoever asks; the owner is never named by a request. All need the scope `keys:write`
 * (`scope_missing`), and a key of another organization is `resource_not_found`. Nobody gets a key that may more than they may.
 */
export interface KeyService {
  create(actor: KeyActor, key: NewKey): Promise<IssuedKey>;
  /** Newest first; one more than the page is never read. */
  list(actor: KeyActor, page: KeyPage): Promise<{ readonly keys: readonly ApiKey[]; readonly more: boolean }>;
  get(actor: KeyActor, id: string): Promise<ApiKey>;
  /**
   * Its name and limits, at once on every instance. A limit above that of the key that asks is `invalid_request`; so is a change of nothing. What
   * was taken from a limit stays taken.
   */
  change(actor: KeyActor, id: string, changes: KeyChanges): Promise<ApiKey>;
  /** A new key with the same rights and limits; the old one works until the grace period ends. A key that works no longer is `conflict`. */
  rotate(actor: KeyActor, id: string, rotation: Rotation): Promise<RotatedKey>;
  /** May be repeated. The last operator's key of the instance is `conflict`: nobody could administer it any more. */
  revoke(actor: KeyActor, id: string): Promise<ApiKey>;
  /** What the key is worth at this moment. */
  statusOf(key: ApiKey): KeyStatus;
}

export interface KeyServiceOptions {
  readonly store: KeyStore;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly random: Random;
}

const defaultGraceSeconds = 86_400;

export function createKeyService({ store, ring, clock, random }: KeyServiceOptions): KeyService {
  const createId = createUuidV7(clock, random);
  const hasher = createKeyHasher(ring);

  function newRow(
    actor: KeyActor,
    rights: Pick<NewKeyRow, 'user_id' | 'name' | 'scopes' | 'allowed_models' | 'expires_at' | keyof KeyRateLimitFields>,
  ) {
    const secret = createKeySecret(random);
    const row: NewKeyRow = {
      ...rights,
      id: createId(),
      organization_id: actor.organizationId,
      prefix: shownPrefix(secret),
      hash: digestToBytes(hasher.current(secret)),
      hash_key_version: hasher.version,
      created_at: new Date(clock.now()),
      created_by_key_id: actor.keyId ?? null,
    };
    return { row, secret };
  }

  function announce(action: KeyChanged['action'], actor: KeyActor, key: ApiKey): void {
    keyChanged.publish({ action, keyId: key.id, organizationId: key.organizationId, byKeyId: actor.keyId });
  }

  function assertFuture(expiresAt: Date | undefined): void {
    if (expiresAt === undefined || expiresAt.getTime() > clock.now()) return;
    throw new HoldfastError('invalid_request', { details: [{ field: 'expires_at', message: 'must be in the future' }] });
  }

  return {
    statusOf: (key) => keyStatus(key, clock.now()),

    async create(actor, key) {
      assertMayManageKeys(actor);
      assertFuture(key.expiresAt);
      const allowedModels = key.allowedModels ?? (actor.allowedModels && [...actor.allowedModels]);
      assertMayGrant(actor, key.scopes, allowedModels);
      const limits = limitsOfNewKey(actor.rateLimits, key.rateLimits ?? {});
      assertWithinOwnLimits(actor.rateLimits, limits);
      const { row, secret } = newRow(actor, {
        user_id: null,
        name: key.name,
        scopes: [...new Set(key.scopes)],
        allowed_models: allowedModels === undefined ? null : [...new Set(allowedModels)],
        expires_at: key.expiresAt ?? null,
        ...toFields(limits),
      });
      const created = await store.inOrganization(actor.organizationId, async (rows) => {
        const inserted = await rows.insert(row);
        await rows.tell(keyCreatedEvent(inserted, initiatorOf(actor)));
        return inserted;
      });
      announce('created', actor, created);
      return { key: created, secret };
    },

    async list(actor, page) {
      assertMayManageKeys(actor);
      const keys = await store.inOrganization(actor.organizationId, (rows) => rows.list({ ...page, limit: page.limit + 1 }));
      return { keys: keys.slice(0, page.limit), more: keys.length > page.limit };
    },

    async get(actor, id) {
      assertMayManageKeys(actor);
      return existing(await store.inOrganization(actor.organizationId, (rows) => rows.get(id)));
    },

    async change(actor, id, changes) {
      assertMayManageKeys(actor);
      const changed = Object.entries(changes).filter(([, value]) => value !== undefined);
      if (changed.length === 0) throw new HoldfastError('invalid_request', { details: [{ field: '', message: 'changes nothing' }] });
      // Only what is changed: the name of a key may be set right by one that may less.
      const asked = limitsOfNewKey(undefined, changes);
      assertWithinOwnLimits(
        actor.rateLimits,
        asked,
        changed.map(([field]) => field as keyof KeyRateLimitFields),
      );
      const key = await store.inOrganization(actor.organizationId, async (rows) => {
        const altered = existing(await rows.change(id, Object.fromEntries(changed)));
        await rows.tell(keyChangedEvent(altered, Object.fromEntries(changed), initiatorOf(actor)));
        return altered;
      });
      announce('changed', actor, key);
      return key;
    },

    async rotate(actor, id, { graceSeconds = defaultGraceSeconds, expiresAt }) {
      assertMayManageKeys(actor);
      assertFuture(expiresAt);
      const rotated = await store.inOrganization(actor.organizationId, async (rows) => {
        const old = existing(await rows.getForUpdate(id));
        // The new secret is handed to whoever asks: a key that may more than they may is not theirs to rotate.
        assertMayGrant(actor, old.scopes, old.allowedModels);
        assertWithinOwnLimits(actor.rateLimits, old.rateLimits);
        const status = keyStatus(old, clock.now());
        if (status !== 'active') {
          throw new HoldfastError('conflict', {
            details: { id, status, ...(old.replacedBy === undefined ? {} : { replaced_by: old.replacedBy }) },
          });
        }
        const { row, secret } = newRow(actor, {
          user_id: old.userId ?? null,
          name: old.name,
          scopes: [...old.scopes],
          allowed_models: old.allowedModels === undefined ? null : [...old.allowedModels],
          expires_at: expiresAt ?? old.expiresAt ?? null,
          ...toFields(old.rateLimits),
        });
        const key = await rows.insert(row);
        // A grace period never makes a key live longer than it would have.
        const graceEnds = Math.min(clock.now() + graceSeconds * 1000, old.expiresAt?.getTime() ?? Infinity);
        const replaced = await rows.setReplaced(id, key.id, new Date(graceEnds));
        await rows.tell(keyRotatedEvent(replaced, key, initiatorOf(actor)));
        return { key, secret, replaced };
      });
      announce('rotated', actor, rotated.replaced);
      return rotated;
    },

    async revoke(actor, id) {
      assertMayManageKeys(actor);
      const at = new Date(clock.now());
      const key = await store.inOrganization(actor.organizationId, async (rows) => {
        const old = existing(await rows.get(id));
        const works = ['active', 'replaced'].includes(keyStatus(old, at.getTime()));
        if (works && old.scopes.includes('operator')) return old;
        const done = await rows.setRevoked(id, at);
        if (old.revokedAt === undefined) await rows.tell(keyRevokedEvent(done, initiatorOf(actor)));
        return done;
      });
      // Asked in a transaction of its own, because it counts the keys of every organization, which this one may not see.
      const revoked =
        key.revokedAt === undefined
          ? await store.revokeOperatorKey(actor.organizationId, id, at, (revoked) => keyRevokedEvent(revoked, initiatorOf(actor)))
          : key;
      if (revoked === undefined) {
        throw new HoldfastError('conflict', { details: { id, message: 'This is the last operator key. Make another one first.' } });
      }
      if (revoked.revokedAt?.getTime() === at.getTime()) announce('revoked', actor, revoked);
      return revoked;
    },
  };
}

function initiatorOf({ by, keyId }: KeyActor): Initiator {
  return by ?? (keyId === undefined ? operatorAtTerminal : { actor: { type: 'key', id: keyId } });
}

function existing(key: ApiKey | undefined): ApiKey {
  if (key === undefined) throw new HoldfastError('resource_not_found');
  return key;
}
