import { sql, type Kysely } from 'kysely';
import type { AuditActivityBody } from '@holdfast/contracts';
import type { Schema } from '../../../platform/postgres/index.ts';

export interface ActivitySubject {
  readonly type: 'user' | 'organization';
  readonly id: string;
}

const maxActors = 100;

/** What a user or an organization did from one moment to before another, in numbers. Reads all of its events of that time. */
export async function readActivity(
  database: Kysely<Schema>,
  organizationId: string | null | undefined,
  subject: ActivitySubject,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<AuditActivityBody> {
  const scope = sql.join(
    [
      sql`at >= ${new Date(fromMs)} and at < ${new Date(toMs)}`,
      ...(subject.type === 'user' ? [sql`user_id = ${subject.id}::uuid`] : []),
      ...(organizationId === undefined
        ? []
        : organizationId === null
          ? [sql`organization_id is null`]
          : [sql`organization_id = ${organizationId}::uuid`]),
    ],
    sql` and `,
  );
  // One pass for all three: grouping sets.
  const { rows } = await sql<{
    kind: number;
    type: string | null;
    outcome: string | null;
    actor_type: string | null;
    actor_id: string | null;
    day: string | null;
    events: number;
    not_successful: number;
    last_at: Date;
  }>`
    select grouping(type, actor_type, day) as kind, type, outcome, actor_type, actor_id, to_char(day, 'YYYY-MM-DD') as day,
      count(*)::int as events, (count(*) filter (where result <> 'success'))::int as not_successful, max(at) as last_at
    from (
      select type, outcome, outcome as result, actor_type, actor_id, at, date_trunc('day', at at time zone 'UTC') as day
      from holdfast.audit_log where ${scope}
    ) as events
    group by grouping sets ((type, outcome), (actor_type, actor_id), (day))
    order by events desc, last_at desc`.execute(database);
  // Bits of what is not grouped by: type, actor_type, day.
  const ofKind = (kind: number) => rows.filter((row) => row.kind === kind);
  const byType = ofKind(0b011);
  return {
    subject: { type: subject.type, id: subject.id },
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    events: byType.reduce((sum, { events }) => sum + events, 0),
    by_type: byType.map(({ type, outcome, events, last_at }) => ({
      type: type!,
      outcome: outcome as AuditActivityBody['by_type'][number]['outcome'],
      events,
      last_at: last_at.toISOString(),
    })),
    by_actor: ofKind(0b101)
      .slice(0, maxActors)
      .map(({ actor_type, actor_id, events, last_at }) => ({ actor_type: actor_type!, actor_id, events, last_at: last_at.toISOString() })),
    by_day: ofKind(0b110)
      .map(({ day, events, not_successful }) => ({ day: day!, events, not_successful }))
      .sort((a, b) => (a.day < b.day ? -1 : 1)),
  };
}
