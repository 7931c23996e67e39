import { HoldfastError } from '@holdfast/kit/errors';
import type { Principal, Scope } from '../../model/index.ts';

type Rights = Pick<Principal, 'scopes' | 'allowedModels'>;

export function assertMayManageKeys(actor: Rights): void {
  if (!actor.scopes.has('keys:write')) throw new HoldfastError('scope_missing', { details: { scope: 'keys:write' } });
}

/** Nobody hands on what they have not: neither a scope, nor a model that their own key is not allowed. */
export function assertMayGrant(actor: Rights, scopes: readonly Scope[], allowedModels: readonly string[] | undefined): void {
  const missing = scopes.filter((scope) => !actor.scopes.has(scope));
  if (missing.length > 0) throw new HoldfastError('scope_missing', { details: { scope: missing.join(' ') } });
  const own = actor.allowedModels;
  if (own === undefined) return;
  const foreign = allowedModels?.filter((model) => !own.has(model));
  if (foreign === undefined || foreign.length > 0) {
    throw new HoldfastError('model_not_allowed', { details: { allowed_models: foreign ?? null } });
  }
}
