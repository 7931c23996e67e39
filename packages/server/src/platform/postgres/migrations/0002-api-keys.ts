import { sql, type Kysely } from 'kysely';

export async function apiKeys(database: Kysely<unknown>): Promise<void> {
  await sql`
    create table holdfast.api_keys (
      id uuid primary key,
      -- A key must not outlive its organization or its person, so it goes with them.
      organization_id uuid not null references identity.organization (id) on delete cascade,
      user_id uuid references identity."user" (id) on delete cascade,
      name text not null,
      prefix text not null,
      hash bytea not null unique,
      hash_key_version int not null,
      scopes text[] not null,
      allowed_models text[],
      created_at timestamptz(3) not null default now(),
      created_by_key_id uuid,
      expires_at timestamptz(3),
      revoked_at timestamptz(3),
      replaced_by uuid,
      last_used_at timestamptz(3),
      -- For the reference below, which with both columns cannot lead into another organization.
      unique (organization_id, id),
      foreign key (organization_id, replaced_by) references holdfast.api_keys (organization_id, id) on delete set null (replaced_by)
    );
    create index api_keys_user on holdfast.api_keys (user_id) where user_id is not null;
    create index api_keys_replaced_by on holdfast.api_keys (organization_id, replaced_by) where replaced_by is not null;

    create function holdfast.announce_key() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$ begin perform pg_notify('holdfast_keys', old.id::text); return null; end $$;
    revoke all on function holdfast.announce_key() from public;
    -- All but last_used_at: that is written all the time and changes nothing for those who hold the key in memory.
    create trigger api_keys_changed
      after delete or update of id, organization_id, user_id, name, prefix, hash, hash_key_version, scopes, allowed_models,
        created_at, created_by_key_id, expires_at, revoked_at, replaced_by
      on holdfast.api_keys for each row execute function holdfast.announce_key();

    grant usage on schema holdfast to holdfast_app, holdfast_authenticator, holdfast_writer, holdfast_jobs, holdfast_operator;
    grant select, insert on holdfast.api_keys to holdfast_app, holdfast_operator;
    grant update (name, scopes, allowed_models, expires_at, revoked_at, replaced_by) on holdfast.api_keys to holdfast_app, holdfast_operator;
    grant select (id, organization_id, user_id, hash, hash_key_version, scopes, allowed_models, expires_at, revoked_at)
      on holdfast.api_keys to holdfast_authenticator;
    grant select (id, last_used_at), update (last_used_at) on holdfast.api_keys to holdfast_jobs;

    alter table holdfast.api_keys enable row level security, force row level security;
    create policy app_own on holdfast.api_keys to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid))
      with check (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy authenticator_read on holdfast.api_keys for select to holdfast_authenticator using (true);
    create policy jobs_read on holdfast.api_keys for select to holdfast_jobs using (true);
    create policy jobs_touch on holdfast.api_keys for update to holdfast_jobs using (true) with check (true);
    create policy operator_all on holdfast.api_keys to holdfast_operator using (true) with check (true);
  `.execute(database);
}
