import type { OrganizationBody } from '@holdfast/contracts';

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  /** Name of a tier of the configuration; one that it does not know counts as `basic`. */
  readonly tier: string;
  readonly createdAt: Date;
}

export function toOrganizationBody({ id, name, slug, tier, createdAt }: Organization): OrganizationBody {
  return { id, name, slug, tier, created_at: createdAt.toISOString() };
}
