import { sql, type Kysely } from 'kysely';

/**
 * Who is shut out, of the whole instance and of no organization. One row a range: the ban that stands, or that stood last, since the next
 * one of the same range is longer.
 *
 * A ban that was lifted keeps its row for a while, so that instances that missed the notification find it among the changes; see
 * `key_changes` for why `changed_in` is a transaction.
 */
export async function bans(database: Kysely<unknown>): Promise<void> {
  await sql`
    create table holdfast.bans (
      -- Canonical text, as the kit writes it: the same address is never there twice in other words.
      range text primary key check (length(range) between 1 and 64),
      reason text not null check (length(reason) between 1 and 64),
      source text not null check (source in ('automatic', 'manual')),
      banned_at timestamptz(3) not null,
      ends_at timestamptz(3),
      repeats int not null check (repeats >= 0),
      banned_by text check (length(banned_by) <= 200),
      note text check (length(note) <= 500),
      lifted boolean not null default false,
      -- Of two states of a range the later has the greater one, also when the row was removed between them.
      revision bigint not null,
      changed_in xid8 not null,
      changed_at timestamptz(3) not null
    );
    comment on column holdfast.bans.ends_at is 'null: until it is lifted';
    create index bans_changed_in on holdfast.bans (changed_in);
    create index bans_ends_at on holdfast.bans (ends_at);
    create sequence holdfast.ban_revisions;

    -- As the owner of the sequence. A row that is to be updated is locked before its trigger runs, so numbers of a row grow as they are committed.
    create function holdfast.stamp_ban() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp
      as $$
      begin
        new.revision := nextval('holdfast.ban_revisions');
        new.changed_in := pg_current_xact_id();
        new.changed_at := clock_timestamp();
        return new;
      end $$;
    revoke all on function holdfast.stamp_ban() from public;
    create trigger bans_stamped before insert or update on holdfast.bans for each row execute function holdfast.stamp_ban();

    -- After, since an insert that ends in a conflict has passed the trigger above and may change nothing. Says which and not what: every
    -- role may notify, and what it says must not be able to ban or lift.
    create function holdfast.announce_ban() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$ begin perform pg_notify('holdfast_bans', new.range); return null; end $$;
    revoke all on function holdfast.announce_ban() from public;
    create trigger bans_changed after insert or update on holdfast.bans for each row execute function holdfast.announce_ban();

    -- Nobody else has a reason to look at them: requests are checked against what the instance has in memory.
    grant select, insert, update, delete on holdfast.bans to holdfast_jobs;
    alter table holdfast.bans enable row level security, force row level security;
    create policy jobs_all on holdfast.bans to holdfast_jobs using (true) with check (true);
  `.execute(database);
}
