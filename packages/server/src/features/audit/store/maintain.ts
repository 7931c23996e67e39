import { auditEventText, type AuditEvent, type CanonicalValue } from '@holdfast/kit/audit';
import type { Clock } from '@holdfast/kit/time';
import type { Database } from '../../../platform/postgres/index.ts';
import { instanceSeries } from '../log-head.ts';
import type { Maintained } from '../sequencer/index.ts';
import type { RunStatement } from './run-statement.ts';

export interface MaintainOptions {
  readonly database: Pick<Database, 'query'>;
  readonly clock: Clock;
  readonly createId: () => string;
  /** After how many days events are removed; 0 keeps them for ever. `AUDIT_LOG_RETENTION_DAYS`, 90. */
  readonly retentionDays: () => number;
}

/** Rows that one statement deletes at most. */
const deletedAtOnce = 5_000;
/** Leaves that one removal speaks of at most: it reads them all. */
const removedAtOnce = 1_000_000;

/**
 * Removes what is older than the retention: whole days of events, by when they got their places, since that is the order of the log and no clock but the
 * database's has a say in it. One event for each series says what was removed, in the same transaction in which the log begins later. Hashes are
 * kept, so that what is left is proved as before, and so is what was removed by whoever has a copy.
 *
 * Checkpoints older than an hour are kept one for each hour. Any size that was ever signed can be compared with a later one all the same.
 */
export async function maintainLog(run: RunStatement, epoch: number, options: MaintainOptions): Promise<Maintained> {
  await run(`with old as (
      select size, row_number() over (partition by date_trunc('hour', at) order by size) as place
      from holdfast.audit_checkpoints where at < date_trunc('hour', now() - interval '1 hour')
    )
    delete from holdfast.audit_checkpoints where size in (select size from old where place > 1)
      and size < (select max(size) from holdfast.audit_checkpoints)`);
  const deleted = await run(
    `delete from holdfast.audit_log where index in (
      select index from holdfast.audit_log where index < (select first_index from holdfast.audit_state) order by index limit ${deletedAtOnce})
    returning index`,
  );
  if (deleted.length > 0) return { elected: true, more: true };

  const days = options.retentionDays();
  if (days <= 0) return { elected: true, more: false };
  // References are used for a day: events may speak of one that is a day older than they are.
  await options.database
    .query('jobs')
    .deleteFrom('holdfast.audit_personal')
    .where('created_at', '<', new Date(options.clock.now() - (days + 1) * 86_400_000))
    .execute();
  return removeOld(run, epoch, days, options);
}

async function removeOld(run: RunStatement, epoch: number, days: number, { clock, createId }: MaintainOptions): Promise<Maintained> {
  const [range] = await run<{ begin: number; end: number | null }>(
    `select first_index as begin, (select max(size) from holdfast.audit_checkpoints where at < date_trunc('day', now() - make_interval(days => $1))) as end
     from holdfast.audit_state`,
    [days],
  );
  const begin = range!.begin;
  const end = Math.min(range!.end ?? 0, begin + removedAtOnce);
  if (end <= begin) return { elected: true, more: false };

  const series = await run<RemovedSeries>(
    `select organization_id, min(number) as from_number, max(number) as through_number, count(*) as events,
       count(*) filter (where type <> 'audit.events_removed') as others
     from holdfast.audit_log where index >= $1 and index < $2 group by organization_id`,
    [begin, end],
  );
  const at = new Date(clock.now()).toISOString();
  const eventOf = (organizationId: string | null, details: Record<string, CanonicalValue>): AuditEvent => ({
    v: 1,
    id: createId(),
    at,
    type: 'audit.events_removed',
    outcome: 'success',
    organization_id: organizationId,
    actor: { type: 'system', id: 'audit' },
    resource: { type: 'audit_log' },
    details: { retention_days: days, ...details },
  });
  const numbersOf = ({ from_number, through_number, events }: RemovedSeries) => ({ from_number, through_number, events });
  const told = series
    // An organization in which nothing happens any more would otherwise go on for ever to be told that it was told.
    .filter((each) => each.organization_id !== null && each.others > 0)
    .map((each) => eventOf(each.organization_id, numbersOf(each)));
  const ofInstance = series.find((each) => each.organization_id === null);
  told.push(eventOf(null, { from_index: begin, end_index: end, ...(ofInstance && numbersOf(ofInstance)) }));

  const [fence] = await run<{ count: number }>(
    `with fence as (
      update holdfast.audit_state set first_index = $3::bigint where epoch = $1::bigint and first_index = $2::bigint returning size
    ), numbered as (
      update holdfast.audit_series as series set removed_number = removed.through_number
      from unnest($4::uuid[], $5::bigint[]) as removed (organization_id, through_number)
      where series.organization_id = removed.organization_id and exists (select from fence)
    ), told as (
      insert into holdfast.audit_inbox (id, organization_id, body)
      select id, organization_id, body from unnest($6::uuid[], $7::uuid[], $8::text[]) as event (id, organization_id, body)
      where exists (select from fence)
    )
    select count(*) from fence`,
    [
      ...[epoch, begin, end, series.map((each) => each.organization_id ?? instanceSeries), series.map((each) => each.through_number)],
      ...[told.map(({ id }) => id), told.map((event) => event.organization_id), told.map(auditEventText)],
    ],
  );
  return { elected: fence!.count === 1, more: true };
}

interface RemovedSeries {
  readonly organization_id: string | null;
  readonly from_number: number;
  readonly through_number: number;
  readonly events: number;
  readonly others: number;
}
