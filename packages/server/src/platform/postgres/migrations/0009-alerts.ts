import { sql, type Kysely } from 'kysely';

/**
 * Alerts of the whole instance and of no organization: what fires, which instances see it, what was told, what is silenced, and what is on its way
 * through the channels. All of it is written by whoever looks, one after the other under an advisory lock.
 */
export async function alerts(database: Kysely<unknown>): Promise<void> {
  await sql`
    create table holdfast.alerts (
      id uuid primary key,
      fingerprint text not null,
      rule text not null,
      labels jsonb not null,
      severity text not null check (severity in ('info', 'warning', 'critical')),
      unit text not null,
      group_key text not null,
      status text not null check (status in ('pending', 'firing', 'resolved')),
      since_at timestamptz(3) not null,
      fired_at timestamptz(3),
      resolved_at timestamptz(3),
      clear_at timestamptz(3),
      resolve_after_ms bigint not null,
      value double precision not null,
      threshold double precision not null,
      bad text not null check (bad in ('above', 'below')),
      acknowledged jsonb
    );
    -- One at a time of a condition, whatever else goes wrong.
    create unique index alerts_open on holdfast.alerts (fingerprint) where status <> 'resolved';
    create index alerts_resolved_at on holdfast.alerts (resolved_at) where resolved_at is not null;

    create table holdfast.alert_observations (
      fingerprint text not null,
      instance text not null,
      rule text not null,
      labels jsonb not null,
      value double precision not null,
      expires_at timestamptz(3) not null,
      primary key (fingerprint, instance)
    );

    create table holdfast.alert_groups (
      key text primary key,
      rule text not null,
      told uuid[] not null,
      told_at timestamptz(3) not null,
      channels text[] not null
    );

    create table holdfast.alert_silences (
      id uuid primary key,
      matchers jsonb not null,
      starts_at timestamptz(3) not null,
      ends_at timestamptz(3) not null,
      created_by text check (length(created_by) <= 200),
      reason text not null check (length(reason) <= 500)
    );
    create index alert_silences_ends_at on holdfast.alert_silences (ends_at);

    create table holdfast.alert_deliveries (
      id uuid primary key,
      channel text not null,
      group_key text not null,
      notification jsonb not null,
      status text not null check (status in ('pending', 'delivered', 'failed')),
      attempts int not null,
      created_at timestamptz(3) not null,
      next_try_at timestamptz(3) not null,
      finished_at timestamptz(3),
      last_error text,
      leased_until timestamptz(3)
    );
    create index alert_deliveries_pending on holdfast.alert_deliveries (group_key, channel, id) where status = 'pending';
    create index alert_deliveries_created_at on holdfast.alert_deliveries (created_at);

    grant select, insert, update, delete on holdfast.alerts, holdfast.alert_observations, holdfast.alert_groups, holdfast.alert_silences,
      holdfast.alert_deliveries to holdfast_jobs;
    -- For the rule about keys that end soon: no more than says which and when.
    grant select (id, organization_id, prefix, expires_at, revoked_at, replaced_by) on holdfast.api_keys to holdfast_jobs;
    -- For rules about spending.
    grant select (organization_id, key_id, cost_nano_usd) on holdfast.calls to holdfast_jobs;

    alter table holdfast.alerts enable row level security, force row level security;
    alter table holdfast.alert_observations enable row level security, force row level security;
    alter table holdfast.alert_groups enable row level security, force row level security;
    alter table holdfast.alert_silences enable row level security, force row level security;
    alter table holdfast.alert_deliveries enable row level security, force row level security;
    create policy jobs_all on holdfast.alerts to holdfast_jobs using (true) with check (true);
    create policy jobs_all on holdfast.alert_observations to holdfast_jobs using (true) with check (true);
    create policy jobs_all on holdfast.alert_groups to holdfast_jobs using (true) with check (true);
    create policy jobs_all on holdfast.alert_silences to holdfast_jobs using (true) with check (true);
    create policy jobs_all on holdfast.alert_deliveries to holdfast_jobs using (true) with check (true);
  `.execute(database);
}
