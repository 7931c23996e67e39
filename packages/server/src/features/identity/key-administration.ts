import { HoldfastError } from '@holdfast/kit/errors';
import { scopes } from '../../model/index.ts';
import type { Database } from '../../platform/postgres/index.ts';
import type { ApiKey, IssuedKey } from './api-key.ts';
import { readFirstStart } from './first-start.ts';
import type { KeyActor, KeyService, NewKey, RotatedKey, Rotation } from './key-service.ts';
import type { KeyChanges, KeyPage } from './store.ts';

/** The key service in the hands of somebody who has the machine, and so the database anyway: every scope, no key. */
export interface KeyAdministration {
  create(key: NewKey): Promise<IssuedKey>;
  list(page: KeyPage): Promise<{ readonly keys: readonly ApiKey[]; readonly more: boolean }>;
  change(id: string, changes: KeyChanges): Promise<ApiKey>;
  rotate(id: string, rotation: Rotation): Promise<RotatedKey>;
  revoke(id: string): Promise<ApiKey>;
}

export interface KeyAdministrationOptions {
  readonly database: Pick<Database, 'asOperator'>;
  readonly service: KeyService;
}

/**
 * Keys of the organization that the first start made, for the command line. Works on the database, so a running server need not
 * be asked, and learns of a revoked key by its notification. `conflict` when no server was ever started here:
 * making the operator's key in its place would lose it.
 */
export async function createKeyAdministration({ database, service }: KeyAdministrationOptions): Promise<KeyAdministration> {
  const first = await database.asOperator(readFirstStart);
  if (first === undefined) {
    throw new HoldfastError('conflict', {
      detail: 'no server was ever started on this database; run `holdfast serve` once, which makes the organization and its first key',
      details: { message: 'No server was ever started on this database. Run `holdfast serve` once.' },
    });
  }
  const actor: KeyActor = { organizationId: first.organization_id, keyId: undefined, scopes: new Set(scopes), allowedModels: undefined };
  return {
    create: (key) => service.create(actor, key),
    list: (page) => service.list(actor, page),
    change: async (id, changes) => service.change(actor, uuidOf(id), changes),
    rotate: async (id, rotation) => service.rotate(actor, uuidOf(id), rotation),
    revoke: async (id) => service.revoke(actor, uuidOf(id)),
  };
}

/** The route's schema does this for HTTP. What is no id names no key. */
function uuidOf(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toLowerCase();
  throw new HoldfastError('resource_not_found', { detail: 'a key is named by its id, as `holdfast keys list` shows it' });
}
