import { sql, type Kysely } from 'kysely';
import type { Schema } from '../../../platform/postgres/index.ts';
import type { AuditScope } from '../query/index.ts';
import { eventSection, maxReportRows, ofScope, section, typesOf, type ReportPeriod, type ReportSection } from './report-rows.ts';

const unusedDays = 90;

/** Who may do what today, what to look at in it, and what was changed in the period. */
export async function accessReview(database: Kysely<Schema>, scope: AuditScope, period: ReportPeriod): Promise<ReportSection[]> {
  const keys = await database
    .selectFrom('holdfast.api_keys')
    .select([
      'id',
      'organization_id',
      'user_id',
      'name',
      'prefix',
      'scopes',
      'allowed_models',
      'created_at',
      'expires_at',
      'revoked_at',
      'last_used_at',
    ])
    .where(ofScope(scope))
    // Those that work no longer are history: the events tell it.
    .where((is) => is.or([is('revoked_at', 'is', null), is('revoked_at', '>', period.to)]))
    .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', period.to)]))
    .orderBy('created_at')
    .limit(maxReportRows + 1)
    .execute();
  const unusedSince = new Date(period.to.getTime() - unusedDays * 86_400_000);
  return [
    section(
      'keys',
      'Keys that work',
      'Whoever has one of these keys can do what its scopes say. A remark is a reason to ask whether it is still needed.',
      {
        name: 'Name',
        prefix: 'Begins with',
        scopes: 'May',
        models: 'Models',
        created_at: 'Made',
        last_used_at: 'Last used',
        expires_at: 'Ends',
        remark: 'Remark',
        organization_id: 'Organization',
        id: 'Id',
      },
      keys.map(({ allowed_models: models, ...key }) => ({
        ...key,
        scopes: key.scopes.join(', '),
        models: models === null ? 'all' : models.join(', '),
        remark: [
          key.scopes.includes('operator') && 'rules the whole instance',
          key.last_used_at === null
            ? key.created_at < unusedSince && `made more than ${unusedDays} days ago and never used`
            : key.last_used_at < unusedSince && `not used for ${unusedDays} days`,
          key.expires_at === null && 'does not end by itself',
        ]
          .filter((remark) => remark !== false)
          .join('; '),
      })),
    ),
    // Members are the organization's own affair: who asks for all has no connection that could read them.
    ...(scope.asOperator ? [] : [await members(database, scope)]),
    await eventSection(database, scope, period, {
      id: 'changes',
      title: 'What was changed',
      text: 'Keys and organizations that were made, changed or ended in this time.',
      types: typesOf('keys', 'organizations'),
    }),
    await eventSection(database, scope, period, {
      id: 'refusals',
      title: 'What was refused',
      text: 'Somebody with a good key asked for what it may not.',
      types: ['access.denied', 'access.foreign'],
    }),
  ];
}

async function members(database: Kysely<Schema>, { organizationId }: AuditScope): Promise<ReportSection> {
  const { rows } = await sql<{ user_id: string; role: string; since: Date }>`
    select "userId" as user_id, role, "createdAt" as since from identity.member where "organizationId" = ${organizationId}::uuid
    order by "createdAt" limit ${maxReportRows + 1}`.execute(database);
  return section('members', 'Members', 'People who belong to the organization.', { user_id: 'User', role: 'Role', since: 'Since' }, rows);
}
