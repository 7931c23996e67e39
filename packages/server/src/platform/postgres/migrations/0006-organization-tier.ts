import { sql, type Kysely } from 'kysely';

/** By which limits an organization's requests are counted. The names are those of the configuration, so the database knows only their form. */
export async function organizationTier(database: Kysely<unknown>): Promise<void> {
  await sql`
    alter table identity.organization add column tier text not null default 'basic' check (tier ~ '^[a-z][a-z0-9-]{0,31}$');

    -- Who runs the server is not limited by it. Forced, row-level security would hide the row from the owner too.
    alter table identity.organization no force row level security;
    update identity.organization set tier = 'unlimited'
      where id = (select (value ->> 'organization_id')::uuid from holdfast.settings where key = 'first_start');
    alter table identity.organization force row level security;

    -- Instances hold the tier with each key in memory. An id of key_changes that is no key's is that of an organization, all of whose keys changed.
    create trigger organization_tier_changed
      after update of tier on identity.organization for each row execute function holdfast.announce_key();

    grant usage on schema identity to holdfast_authenticator;
    grant select (id, tier) on identity.organization to holdfast_authenticator;
    create policy authenticator_read on identity.organization for select to holdfast_authenticator using (true);
  `.execute(database);
}
