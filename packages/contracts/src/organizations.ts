import { z } from 'zod';
import { pageOf, pageQuery, timestamp, uuid } from './common/index.ts';

const tier = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/)
  .meta({
    description:
      'By which limits its requests are counted: `basic`, `pro`, `enterprise`, `unlimited`, or one that the operator has configured.',
    examples: ['pro'],
  });

const example = {
  id: '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01',
  name: 'Default',
  slug: 'default',
  tier: 'unlimited',
  created_at: '2026-11-20T09:33:28.114Z',
} as const;

export const organization = z
  .object({
    id: uuid,
    name: z.string(),
    slug: z.string().meta({ description: 'A short name, unique in the instance.' }),
    tier,
    created_at: timestamp,
  })
  .meta({ id: 'Organization', description: 'A tenant: it owns keys, calls and costs.', examples: [example] });

/** An unknown field is a fault: a misspelt one would change nothing and say so to nobody. */
export const changeOrganizationRequest = z.strictObject({ tier }).meta({ id: 'ChangeOrganizationRequest', examples: [{ tier: 'pro' }] });

export const organizationParams = z.object({ id: uuid });
export const listOrganizationsQuery = z.strictObject({ ...pageQuery.shape });
export const organizationPage = pageOf(organization).meta({
  id: 'OrganizationPage',
  description: 'A page of organizations, newest first.',
});

export type OrganizationBody = z.infer<typeof organization>;
export type ChangeOrganizationRequest = z.infer<typeof changeOrganizationRequest>;
