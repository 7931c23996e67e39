import { sql, type Transaction } from 'kysely';
import type { AlertChanges } from '@holdfast/kit/alerts';
import type { Schema } from '../../platform/postgres/index.ts';
import { fromAlert, fromDelivery, fromGroup, fromObservation, fromSilence } from './alert-rows.ts';

/** Writes what an update changes: one statement a table, and none where nothing changed. */
export async function writeAlertChanges(transaction: Transaction<Schema>, changes: AlertChanges): Promise<void> {
  const json = (rows: readonly object[]): string => JSON.stringify(rows);
  // Those that are over first: an open alert and the next one of the same condition must not meet.
  if (changes.forgottenAlerts.length > 0)
    await sql`delete from holdfast.alerts where id = any(${[...changes.forgottenAlerts]}::uuid[])`.execute(transaction);
  const resolved = changes.alerts.filter(({ status }) => status === 'resolved');
  const open = changes.alerts.filter(({ status }) => status !== 'resolved');
  for (const alerts of [resolved, open]) {
    if (alerts.length === 0) continue;
    await sql`
      insert into holdfast.alerts
      select * from jsonb_populate_recordset(null::holdfast.alerts, ${json(alerts.map(fromAlert))}::jsonb)
      on conflict (id) do update set
        severity = excluded.severity, unit = excluded.unit, status = excluded.status, since_at = excluded.since_at, fired_at = excluded.fired_at,
        resolved_at = excluded.resolved_at, clear_at = excluded.clear_at, resolve_after_ms = excluded.resolve_after_ms, value = excluded.value,
        threshold = excluded.threshold, bad = excluded.bad, acknowledged = excluded.acknowledged`.execute(transaction);
  }
  if (changes.forgottenObservations.length > 0)
    await sql`
      delete from holdfast.alert_observations as observation
      using jsonb_to_recordset(${json(changes.forgottenObservations)}::jsonb) as gone (fingerprint text, instance text)
      where observation.fingerprint = gone.fingerprint and observation.instance = gone.instance`.execute(transaction);
  if (changes.observations.length > 0)
    await sql`
      insert into holdfast.alert_observations
      select * from jsonb_populate_recordset(null::holdfast.alert_observations, ${json(changes.observations.map(fromObservation))}::jsonb)
      on conflict (fingerprint, instance) do update set
        rule = excluded.rule, labels = excluded.labels, value = excluded.value, expires_at = excluded.expires_at`.execute(transaction);
  if (changes.closedGroups.length > 0)
    await sql`delete from holdfast.alert_groups where key = any(${[...changes.closedGroups]}::text[])`.execute(transaction);
  if (changes.groups.length > 0)
    await sql`
      insert into holdfast.alert_groups
      select * from jsonb_populate_recordset(null::holdfast.alert_groups, ${json(changes.groups.map(fromGroup))}::jsonb)
      on conflict (key) do update set told = excluded.told, told_at = excluded.told_at, channels = excluded.channels`.execute(transaction);
  if (changes.silences.length > 0)
    await sql`
      insert into holdfast.alert_silences
      select * from jsonb_populate_recordset(null::holdfast.alert_silences, ${json(changes.silences.map(fromSilence))}::jsonb)
      on conflict (id) do update set starts_at = excluded.starts_at, ends_at = excluded.ends_at`.execute(transaction);
  if (changes.deliveries.length > 0)
    await sql`
      insert into holdfast.alert_deliveries
      select * from jsonb_populate_recordset(null::holdfast.alert_deliveries, ${json(changes.deliveries.map(fromDelivery))}::jsonb)
      on conflict (id) do nothing`.execute(transaction);
}
