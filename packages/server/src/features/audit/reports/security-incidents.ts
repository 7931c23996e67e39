import { sql, type Kysely } from 'kysely';
import type { Schema } from '../../../platform/postgres/index.ts';
import type { AuditScope } from '../query/index.ts';
import { eventSection, maxReportRows, ofScope, section, typesOf, type ReportPeriod, type ReportSection } from './report-rows.ts';

/** What was refused, attacked, banned and broken in the period. */
export async function securityIncidents(database: Kysely<Schema>, scope: AuditScope, period: ReportPeriod): Promise<ReportSection[]> {
  // An event of a flood stands for as many as its `count` says.
  const { rows } = await sql<{ type: string; outcome: string; events: number; occurrences: string; first_at: Date; last_at: Date }>`
    select type, outcome, count(*)::int as events, sum(coalesce((leaf::jsonb -> 'details' ->> 'count')::bigint, 1))::text as occurrences,
      min(at) as first_at, max(at) as last_at
    from holdfast.audit_log
    where at >= ${period.from} and at < ${period.to} and ${ofScope(scope)}
      and (type = any(${typesOf('security')}::text[]) or outcome in ('denied', 'interrupted'))
    group by type, outcome order by count(*) desc limit ${maxReportRows + 1}`.execute(database);
  return [
    section(
      'summary',
      'In numbers',
      'Of a flood there is one event and then one a minute: occurrences say how often it happened.',
      { type: 'What', outcome: 'Outcome', events: 'Events', occurrences: 'Occurrences', first_at: 'First', last_at: 'Last' },
      rows,
    ),
    await eventSection(database, scope, period, {
      id: 'incidents',
      title: 'One by one',
      text: 'Events of security, and everything that was refused, the last first. Addresses are references: the events tell what they stand for.',
      types: typesOf('security'),
      refusedToo: true,
    }),
  ];
}
