import { sql, type Kysely } from 'kysely';

/** How far the spill of an instance has been brought here, and the right to put what really became of a call in the place of `interrupted`. */
export async function spill(database: Kysely<unknown>): Promise<void> {
  await sql`
    create table holdfast.spill_segments (
      -- The id in the header of the file.
      segment text primary key,
      records int not null check (records > 0),
      updated_at timestamptz(3) not null default now()
    );
    comment on column holdfast.spill_segments.records is 'how many records of the file are here';
    alter table holdfast.spill_segments enable row level security, force row level security;
    create policy jobs on holdfast.spill_segments for all to holdfast_jobs using (true) with check (true);
    grant select, insert, update, delete on holdfast.spill_segments to holdfast_jobs;

    -- A row that another instance wrote for a call whose own instance was cut off and knew better: it and no other may give way.
    grant select (outcome), delete on holdfast.calls to holdfast_jobs;
    create policy jobs_supersede on holdfast.calls for delete to holdfast_jobs using (outcome = 'interrupted');

    grant insert on holdfast.call_intents to holdfast_jobs;
    create policy jobs_insert on holdfast.call_intents for insert to holdfast_jobs with check (true);
  `.execute(database);
}
