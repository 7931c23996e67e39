import { sql, type Kysely } from 'kysely';

/**
 * Which keys changed lately, for instances that missed the notification. One row a key, kept for a day.
 *
 * `changed_in` is the transaction, not a sequence: what drew a lower number may be committed later, and whoever reads on from the
 * highest number seen passes it over. With `pg_snapshot_xmin` of the reading snapshot as the next start nothing is.
 */
export async function keyChanges(database: Kysely<unknown>): Promise<void> {
  await sql`
    create table holdfast.key_changes (
      -- No reference: a deleted key is a change too.
      key_id uuid primary key,
      changed_in xid8 not null,
      changed_at timestamptz(3) not null
    );
    create index key_changes_in on holdfast.key_changes (changed_in);
    create index key_changes_at on holdfast.key_changes (changed_at);
    alter table holdfast.key_changes enable row level security, force row level security;
    -- The owner writes through the trigger alone; forced, row-level security binds it too.
    create policy owner_all on holdfast.key_changes to current_user using (true) with check (true);
    create policy authenticator_read on holdfast.key_changes for select to holdfast_authenticator using (true);
    grant select on holdfast.key_changes to holdfast_authenticator;

    -- As its owner, so that nobody who may change a key can write or read this table.
    create or replace function holdfast.announce_key() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp
      as $$
      begin
        insert into holdfast.key_changes (key_id, changed_in, changed_at)
          values (old.id, pg_current_xact_id(), clock_timestamp())
          on conflict (key_id) do update set changed_in = excluded.changed_in, changed_at = excluded.changed_at;
        -- Skips what others hold: two that clear up at the same time must not wait for each other.
        delete from holdfast.key_changes where key_id in (
          select key_id from holdfast.key_changes where changed_at < clock_timestamp() - interval '1 day'
          limit 100 for update skip locked);
        perform pg_notify('holdfast_keys', old.id::text);
        return null;
      end $$;
  `.execute(database);
}
