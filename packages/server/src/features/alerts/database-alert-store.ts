import { sql, type Kysely } from 'kysely';
import { flapWindowMs, type AlertBook, type AlertStore } from '@holdfast/kit/alerts';
import type { Clock } from '@holdfast/kit/time';
import { withinDeadline } from '../../platform/change-feed/index.ts';
import type { AuditTrail, Initiator } from '../../platform/audit/index.ts';
import type { Database, Schema } from '../../platform/postgres/index.ts';
import { toAlert, toDelivery, toGroup, toObservation, toSilence } from './alert-rows.ts';
import { alertEvents } from './alert-events.ts';
import { writeAlertChanges } from './write-alert-changes.ts';

export interface DatabaseAlertStoreOptions {
  readonly database: Pick<Database, 'query'>;
  /** Where what a person does has its event, in the same transaction. A `context` is the `Initiator` of it. */
  readonly audit: Pick<AuditTrail, 'write'>;
  readonly clock: Clock;
  /** How long anything may take before the database counts as away. Default 5,000. */
  readonly timeoutMs?: number;
}

/** Any number that is no other lock's. */
const updateLock = 4_711_090_001;

/**
 * Alerts in PostgreSQL, shared by all instances. An update holds an advisory lock from before it reads to its commit, so that one instance decides after the
 * other; the time is the database's. An update that was given up for slowness may have been written all the same.
 */
export function createDatabaseAlertStore({ database, audit, clock, timeoutMs = 5_000 }: DatabaseAlertStoreOptions): AlertStore {
  const query = (): Kysely<Schema> => database.query('jobs');
  const within = <T>(what: string, work: Promise<T>): Promise<T> => withinDeadline(clock, timeoutMs, what, work);

  return {
    update: (work, context) =>
      within(
        'writing alerts',
        query()
          .transaction()
          .execute(async (transaction) => {
            await sql`select pg_advisory_xact_lock(${updateLock})`.execute(transaction);
            const nowMs = await databaseTime(transaction);
            const book = await readBook(transaction, nowMs);
            const update = work(book, nowMs);
            await writeAlertChanges(transaction, update.changes);
            const events = context === undefined ? [] : alertEvents(book, update.changes, context as Initiator);
            if (events.length > 0) await audit.write(transaction, ...events);
            return update;
          }),
      ),

    read: () => within('reading alerts', readNow(query())),

    async takeDeliveries({ channels, limit, leaseMs }) {
      if (channels.length === 0) return [];
      const { rows } = await within(
        'taking deliveries of alerts',
        sql<Parameters<typeof toDelivery>[0]>`
          update holdfast.alert_deliveries set leased_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
          where id in (
            select id from holdfast.alert_deliveries as due
            where status = 'pending' and channel = any(${[...channels]}::text[]) and next_try_at <= clock_timestamp()
              and (leased_until is null or leased_until <= clock_timestamp())
              and not exists (
                select from holdfast.alert_deliveries as earlier
                where earlier.status = 'pending' and earlier.group_key = due.group_key and earlier.channel = due.channel and earlier.id < due.id
              )
            order by id limit ${limit} for update skip locked
          ) returning *`.execute(query()),
      );
      return rows.map(toDelivery).sort((a, b) => (a.id < b.id ? -1 : 1));
    },

    async settleDelivery(id, outcome) {
      const done = outcome.status !== 'pending';
      const afterMs = outcome.status === 'pending' ? outcome.afterMs : 0;
      await within(
        'settling a delivery of an alert',
        sql`
          update holdfast.alert_deliveries set
            attempts = attempts + 1, status = ${outcome.status}, leased_until = null,
            last_error = ${outcome.status === 'delivered' ? null : outcome.error},
            next_try_at = case when ${done} then next_try_at else clock_timestamp() + ${afterMs} * interval '1 millisecond' end,
            finished_at = case when ${done} then clock_timestamp() end
          where id = ${id} and status = 'pending'`.execute(query()),
      );
    },

    async listAlerts({ limit, before, status, rule, severity }) {
      let found = query().selectFrom('holdfast.alerts').selectAll().orderBy('id', 'desc').limit(limit);
      if (before !== undefined) found = found.where('id', '<', before);
      if (status !== undefined) found = found.where('status', '=', status);
      if (rule !== undefined) found = found.where('rule', '=', rule);
      if (severity !== undefined) found = found.where('severity', '=', severity);
      return (await within('listing alerts', found.execute())).map(toAlert);
    },

    async findAlert(id) {
      const row = await within(
        'looking for an alert',
        query().selectFrom('holdfast.alerts').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      return row && toAlert(row);
    },

    async listDeliveries({ limit, before, status, channel }) {
      let found = query().selectFrom('holdfast.alert_deliveries').selectAll().orderBy('id', 'desc').limit(limit);
      if (before !== undefined) found = found.where('id', '<', before);
      if (status !== undefined) found = found.where('status', '=', status);
      if (channel !== undefined) found = found.where('channel', '=', channel);
      return (await within('listing deliveries of alerts', found.execute())).map(toDelivery);
    },

    async prune(beforeMs) {
      const before = new Date(beforeMs);
      await query().deleteFrom('holdfast.alerts').where('resolved_at', '<', before).execute();
      await query().deleteFrom('holdfast.alert_deliveries').where('created_at', '<', before).execute();
      await query().deleteFrom('holdfast.alert_silences').where('ends_at', '<', before).execute();
    },
  };
}

async function databaseTime(query: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ now: number }>`select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(query);
  return rows[0]!.now;
}

async function readNow(query: Kysely<Schema>): Promise<AlertBook> {
  return readBook(query, await databaseTime(query));
}

async function readBook(query: Kysely<Schema>, nowMs: number): Promise<AlertBook> {
  const alerts = await query
    .selectFrom('holdfast.alerts')
    .selectAll()
    .where((eb) => eb.or([eb('status', '<>', 'resolved'), eb('resolved_at', '>', new Date(nowMs - flapWindowMs))]))
    .execute();
  const observations = await query.selectFrom('holdfast.alert_observations').selectAll().execute();
  const groups = await query.selectFrom('holdfast.alert_groups').selectAll().execute();
  const silences = await query.selectFrom('holdfast.alert_silences').selectAll().where('ends_at', '>', new Date(nowMs)).execute();
  return {
    alerts: alerts.map(toAlert),
    observations: observations.map(toObservation),
    groups: groups.map(toGroup),
    silences: silences.map(toSilence),
  };
}
