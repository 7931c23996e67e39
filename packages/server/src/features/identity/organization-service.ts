import { HoldfastError } from '@holdfast/kit/errors';
import type { Initiator } from '../../platform/audit/index.ts';
import { organizationChanged } from './events.ts';
import type { OrganizationPage, OrganizationStore } from './organization-store.ts';
import type { Organization } from './organization.ts';

/** All organizations of the instance, in the hands of its operator: the door has asked for that scope. */
export interface OrganizationService {
  /** Newest first. */
  list(page: OrganizationPage): Promise<{ readonly organizations: readonly Organization[]; readonly more: boolean }>;
  /** Throws `resource_not_found`. */
  get(id: string): Promise<Organization>;
  /** By its id or its slug. Throws `resource_not_found`. */
  find(idOrSlug: string): Promise<Organization>;
  /**
   * Counts its requests by another tier, on every instance within a second. May be repeated. Throws `resource_not_found`, and
   * `invalid_request` for a tier that is not configured.
   */
  setTier(id: string, tier: string, by: Initiator): Promise<Organization>;
}

export interface OrganizationServiceOptions {
  readonly store: OrganizationStore;
  /** The names of all tiers of the configuration. */
  readonly tierNames: () => readonly string[];
}

export function createOrganizationService({ store, tierNames }: OrganizationServiceOptions): OrganizationService {
  const service: OrganizationService = {
    async list({ limit, beforeId }) {
      const organizations = await store.list({ limit: limit + 1, beforeId });
      return { organizations: organizations.slice(0, limit), more: organizations.length > limit };
    },
    get: async (id) => existing(await store.get(id)),
    async find(idOrSlug) {
      const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(idOrSlug) ? idOrSlug.toLowerCase() : undefined;
      return existing(id === undefined ? await store.findBySlug(idOrSlug) : await store.get(id));
    },
    async setTier(id, tier, by) {
      const known = tierNames();
      if (!known.includes(tier))
        throw new HoldfastError('invalid_request', { details: [{ field: 'tier', message: `must be one of ${known.join(', ')}` }] });
      const organization = existing(await store.setTier(id, tier, by));
      organizationChanged.publish({ organizationId: id, tier, byKeyId: by.actor.type === 'key' ? by.actor.id : undefined });
      return organization;
    },
  };
  return service;
}

function existing(organization: Organization | undefined): Organization {
  if (organization === undefined) throw new HoldfastError('resource_not_found');
  return organization;
}
