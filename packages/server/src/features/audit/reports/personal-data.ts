import { sql, type Kysely } from 'kysely';
import type { Schema } from '../../../platform/postgres/index.ts';
import type { AuditScope } from '../query/index.ts';
import { eventSection, maxReportRows, ofScope, section, typesOf, type ReportPeriod, type ReportSection } from './report-rows.ts';

/** How long something is kept, by the configuration. */
export interface Retention {
  readonly what: string;
  readonly kept: string;
}

/** To whom personal data may have gone, what of it is kept and for how long, who looked at it, and what was erased. */
export async function personalData(
  database: Kysely<Schema>,
  scope: AuditScope,
  period: ReportPeriod,
  retention: readonly Retention[],
): Promise<ReportSection[]> {
  const recipients = await sql<{
    provider: string | null;
    model: string | null;
    feature: string | null;
    calls: string;
    tokens: string;
    end_users: string;
  }>`
    select provider, model_served as model, feature, count(*)::text as calls, sum(coalesce(prompt_tokens, 0))::text as tokens,
      count(distinct end_user)::text as end_users
    from holdfast.calls
    where started_at >= ${period.from} and started_at < ${period.to} and ${ofScope(scope)} and provider is not null
    group by provider, model_served, feature order by count(*) desc limit ${maxReportRows + 1}`.execute(database);
  const kept = await sql<{ kind: string; references: string; oldest: Date; newest: Date }>`
    select kind, count(*)::text as references, min(created_at) as oldest, max(created_at) as newest
    from holdfast.audit_personal where ${ofScope(scope)} group by kind order by kind`.execute(database);
  return [
    section(
      'recipients',
      'Who was given prompts',
      'Providers and models that calls were sent to. What stood in the prompts is not known here: your own application decides it.',
      {
        provider: 'Provider',
        model: 'Model',
        feature: 'Purpose (feature)',
        calls: 'Calls',
        tokens: 'Tokens sent',
        end_users: 'End users named',
      },
      recipients.rows,
    ),
    section(
      'kept',
      'What the audit log can still tell of people',
      'Events hold references; what these stand for is kept apart, sealed, and can be erased without changing an event.',
      { kind: 'Kind', references: 'References', oldest: 'Oldest', newest: 'Newest' },
      kept.rows,
    ),
    section(
      'retention',
      'How long it is kept',
      'By the configuration of this moment.',
      { what: 'What', kept: 'Kept' },
      retention.map((each) => ({ ...each })),
    ),
    await eventSection(database, scope, period, {
      id: 'access-and-erasure',
      title: 'Who looked at it, and what was erased',
      text: 'Events about personal data in this time.',
      types: typesOf('privacy'),
    }),
  ];
}
