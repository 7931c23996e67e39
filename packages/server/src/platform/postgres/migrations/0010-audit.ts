import { sql, type Kysely } from 'kysely';

/**
 * The audit log: events that wait for their place, the log with the hashes of its tree, what was signed of it, and the personal data that events
 * refer to. Whoever makes an event only inserts into the inbox, in the transaction of its effect; everything else is the sequencer's.
 */
export async function audit(database: Kysely<unknown>): Promise<void> {
  await sql`
    -- No key on the id: it would cost every call an index. An event that was inserted twice is given one place; see the sequencer.
    create table holdfast.audit_inbox (
      id uuid not null,
      organization_id uuid,
      seq bigint generated always as identity primary key,
      arrived_at timestamptz(3) not null default now(),
      body text not null check (octet_length(body) <= 32768)
    );
    comment on column holdfast.audit_inbox.seq is 'the order in which events get their places: an event committed before another one was inserted comes before it';
    comment on column holdfast.audit_inbox.organization_id is 'null: of the instance, and of no organization';
    comment on column holdfast.audit_inbox.body is 'canonical JSON of the event without its number';

    -- What batches of events travel as, beside the rows of the ledger. Versions of the server that write other columns get types of their own.
    create type holdfast.audit_event_1 as (id uuid, organization_id uuid, body text);

    -- No foreign keys: the log outlives what it tells of. The leaf is what counts; the other columns repeat it for queries.
    create table holdfast.audit_log (
      index bigint primary key check (index >= 0),
      id uuid not null unique,
      organization_id uuid,
      number bigint not null check (number > 0),
      at timestamptz(3) not null,
      type text not null,
      outcome text not null,
      actor_type text not null,
      actor_id text,
      user_id uuid,
      resource_type text,
      resource_id text,
      request_id text,
      leaf text not null,
      -- Numbers of an organization have the order of the log, so this index serves its pages too.
      unique nulls not distinct (organization_id, number)
    );
    comment on column holdfast.audit_log.leaf is 'the bytes that are hashed';
    -- Calls of models are the many: each index of theirs is paid by every call, and finds no fewer than the pages of the log do.
    create index audit_log_by_type on holdfast.audit_log (organization_id, type, number) where type <> 'model.called';
    create index audit_log_by_user on holdfast.audit_log (user_id, index) where user_id is not null;
    create index audit_log_by_resource on holdfast.audit_log (resource_type, resource_id, index)
      where resource_id is not null and resource_type <> 'model';
    create index audit_log_by_outcome on holdfast.audit_log (organization_id, outcome, number) where outcome <> 'success';
    create index audit_log_by_time on holdfast.audit_log (at);

    create type holdfast.audit_leaf_1 as (
      index bigint, id uuid, organization_id uuid, number bigint, at timestamptz, type text, outcome text, actor_type text, actor_id text,
      user_id uuid, resource_type text, resource_id text, request_id text, leaf text
    );

    -- A row is a perfect subtree of 256 nodes, and is never changed: of leaves at level 0, of roots of level 0 at level 1, and so on.
    create table holdfast.audit_nodes (
      level smallint not null check (level between 0 and 6),
      index bigint not null check (index >= 0),
      root bytea not null check (octet_length(root) = 32),
      hashes bytea not null check (octet_length(hashes) = 8192),
      primary key (level, index)
    );
    -- Hashes do not get smaller. Out of line, a root is found without them.
    alter table holdfast.audit_nodes alter column hashes set storage external;

    create table holdfast.audit_state (
      only_row boolean primary key default true check (only_row),
      log_id uuid not null default gen_random_uuid(),
      epoch bigint not null default 0,
      size bigint not null default 0,
      root bytea not null default sha256(''),
      tail bytea not null default '',
      first_index bigint not null default 0,
      check (octet_length(root) = 32 and octet_length(tail) = (size % 256) * 32 and first_index between 0 and size)
    );
    alter table holdfast.audit_state alter column tail set storage external;
    comment on column holdfast.audit_state.epoch is 'grows with each election; a sequencer of an older one can write nothing';
    comment on column holdfast.audit_state.tail is 'hashes of the leaves behind the last full 256';
    comment on column holdfast.audit_state.first_index is 'the first that retention left';
    insert into holdfast.audit_state default values;

    -- The instance's own series has the nil UUID.
    create table holdfast.audit_series (
      organization_id uuid primary key,
      last_number bigint not null,
      removed_number bigint not null default 0,
      check (removed_number between 0 and last_number)
    );
    comment on column holdfast.audit_series.removed_number is 'events up to this number were removed by retention';

    create table holdfast.audit_checkpoints (
      size bigint primary key,
      note text not null,
      at timestamptz(3) not null default now()
    );
    create index audit_checkpoints_at on holdfast.audit_checkpoints (at);

    create table holdfast.audit_keys (
      verifier_key text primary key,
      kind text not null check (kind in ('ed25519', 'mlDsa44')),
      created_at timestamptz(3) not null default now(),
      from_size bigint not null,
      to_size bigint,
      sealed_private_key bytea,
      -- A key that signs no more is not kept.
      check ((to_size is null) = (sealed_private_key is not null))
    );
    comment on column holdfast.audit_keys.to_size is 'the last checkpoint that it signed; null: it signs';
    create unique index audit_keys_signing on holdfast.audit_keys (kind) where to_size is null;

    create table holdfast.audit_rejected (
      seq bigint primary key,
      id uuid not null,
      organization_id uuid,
      reason text not null,
      body text not null,
      at timestamptz(3) not null default now()
    );
    comment on table holdfast.audit_rejected is 'what was in the inbox and is no event; the log has an event for each';

    -- What events refer to. To delete a row is to shred it: the event stays, and nobody can say any more whom it speaks of.
    create table holdfast.audit_personal (
      ref text primary key,
      organization_id uuid,
      kind text not null check (kind in ('ip', 'user_agent', 'end_user', 'name', 'text')),
      tag bytea not null check (octet_length(tag) = 16),
      salt bytea not null check (octet_length(salt) = 16),
      sealed bytea not null,
      created_at timestamptz(3) not null
    );
    comment on column holdfast.audit_personal.tag is 'the same for all references of one value, for those who have the master key: to erase them';
    create index audit_personal_tag on holdfast.audit_personal (tag);
    create index audit_personal_created_at on holdfast.audit_personal (created_at);
    create index audit_personal_by_organization on holdfast.audit_personal (organization_id, kind, created_at);
    create type holdfast.audit_personal_1 as (
      ref text, organization_id uuid, kind text, tag bytea, salt bytea, sealed bytea, created_at timestamptz
    );

    create table holdfast.audit_publications (
      destination text primary key,
      size bigint not null,
      published_at timestamptz(3),
      tried_at timestamptz(3) not null,
      error text
    );
    comment on column holdfast.audit_publications.size is 'of the checkpoint that was published last';

    grant usage on schema holdfast to holdfast_sequencer;
    grant insert on holdfast.audit_inbox to holdfast_app, holdfast_writer, holdfast_jobs, holdfast_operator;
    grant select, insert, delete on holdfast.audit_inbox to holdfast_sequencer;
    grant select on holdfast.audit_inbox, holdfast.audit_log, holdfast.audit_nodes, holdfast.audit_state, holdfast.audit_series, holdfast.audit_checkpoints
      to holdfast_app, holdfast_operator;
    grant select, insert, delete on holdfast.audit_log, holdfast.audit_checkpoints to holdfast_sequencer;
    grant select, insert on holdfast.audit_nodes to holdfast_sequencer;
    grant select, update (epoch, size, root, tail, first_index) on holdfast.audit_state to holdfast_sequencer;
    grant select, insert, update (last_number, removed_number) on holdfast.audit_series to holdfast_sequencer;
    grant select, insert, update (to_size, sealed_private_key) on holdfast.audit_keys to holdfast_sequencer;
    grant select (verifier_key, kind, created_at, from_size, to_size) on holdfast.audit_keys to holdfast_app, holdfast_operator;
    grant select, insert on holdfast.audit_rejected to holdfast_sequencer;
    grant select on holdfast.audit_rejected to holdfast_operator;
    -- The reference alone is readable for those who insert, because ON CONFLICT (ref) DO NOTHING reads it.
    grant insert, select (ref) on holdfast.audit_personal to holdfast_writer;
    grant insert, select on holdfast.audit_personal to holdfast_app;
    grant insert, select, delete on holdfast.audit_personal to holdfast_operator;
    grant insert, delete, select (ref, organization_id, kind, created_at) on holdfast.audit_personal to holdfast_jobs;
    grant select, insert, update, delete on holdfast.audit_publications to holdfast_jobs;
    grant select on holdfast.audit_publications to holdfast_operator;

    alter table holdfast.audit_inbox enable row level security, force row level security;
    alter table holdfast.audit_log enable row level security, force row level security;
    alter table holdfast.audit_series enable row level security, force row level security;
    alter table holdfast.audit_rejected enable row level security, force row level security;
    alter table holdfast.audit_personal enable row level security, force row level security;
    alter table holdfast.audit_nodes enable row level security, force row level security;
    alter table holdfast.audit_state enable row level security, force row level security;
    alter table holdfast.audit_checkpoints enable row level security, force row level security;
    alter table holdfast.audit_keys enable row level security, force row level security;
    alter table holdfast.audit_publications enable row level security, force row level security;

    create policy app_insert on holdfast.audit_inbox for insert to holdfast_app
      with check (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy app_read on holdfast.audit_inbox for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy writer_insert on holdfast.audit_inbox for insert to holdfast_writer with check (true);
    create policy jobs_insert on holdfast.audit_inbox for insert to holdfast_jobs with check (true);
    create policy operator_all on holdfast.audit_inbox to holdfast_operator using (true) with check (true);
    create policy sequencer_all on holdfast.audit_inbox to holdfast_sequencer using (true) with check (true);

    create policy app_read on holdfast.audit_log for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy operator_read on holdfast.audit_log for select to holdfast_operator using (true);
    create policy sequencer_all on holdfast.audit_log to holdfast_sequencer using (true) with check (true);

    create policy app_read on holdfast.audit_series for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy operator_read on holdfast.audit_series for select to holdfast_operator using (true);
    create policy sequencer_all on holdfast.audit_series to holdfast_sequencer using (true) with check (true);

    create policy operator_read on holdfast.audit_rejected for select to holdfast_operator using (true);
    create policy sequencer_all on holdfast.audit_rejected to holdfast_sequencer using (true) with check (true);

    create policy app_own on holdfast.audit_personal to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid))
      with check (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy writer_insert on holdfast.audit_personal for insert to holdfast_writer with check (true);
    create policy writer_conflict on holdfast.audit_personal for select to holdfast_writer using (true);
    create policy jobs_all on holdfast.audit_personal to holdfast_jobs using (true) with check (true);
    create policy operator_all on holdfast.audit_personal to holdfast_operator using (true) with check (true);

    -- Hashes, sizes and signatures say nothing of anybody's data, and every organization proves its events with them.
    create policy app_read on holdfast.audit_nodes for select to holdfast_app using (true);
    create policy operator_read on holdfast.audit_nodes for select to holdfast_operator using (true);
    create policy sequencer_all on holdfast.audit_nodes to holdfast_sequencer using (true) with check (true);
    create policy app_read on holdfast.audit_state for select to holdfast_app using (true);
    create policy operator_read on holdfast.audit_state for select to holdfast_operator using (true);
    create policy sequencer_all on holdfast.audit_state to holdfast_sequencer using (true) with check (true);
    create policy app_read on holdfast.audit_checkpoints for select to holdfast_app using (true);
    create policy operator_read on holdfast.audit_checkpoints for select to holdfast_operator using (true);
    create policy sequencer_all on holdfast.audit_checkpoints to holdfast_sequencer using (true) with check (true);
    create policy app_read on holdfast.audit_keys for select to holdfast_app using (true);
    create policy operator_read on holdfast.audit_keys for select to holdfast_operator using (true);
    create policy sequencer_all on holdfast.audit_keys to holdfast_sequencer using (true) with check (true);
    create policy jobs_all on holdfast.audit_publications to holdfast_jobs using (true) with check (true);
    create policy operator_read on holdfast.audit_publications for select to holdfast_operator using (true);
  `.execute(database);
}
