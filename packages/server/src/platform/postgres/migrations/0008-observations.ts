import { sql, type Kysely } from 'kysely';

/** What the server saw of itself, by the minute, and of each request. Both of the instance as a whole, and both for a while only. */
export async function observations(database: Kysely<unknown>): Promise<void> {
  await sql`
    -- One row for each minute of each run of a server. Rows are added up by whoever reads them, so that no instance ever writes another's.
    create table holdfast.metric_minutes (
      minute timestamptz(3) not null,
      source uuid not null,
      instance text not null check (length(instance) between 1 and 300),
      -- json and not jsonb: it is written each few seconds, read whole, and never searched.
      record json not null,
      primary key (minute, source)
    );

    -- No foreign keys, as of the ledger. No address and no path: who asked is the key's to tell, and ids stand in paths.
    create table holdfast.request_log (
      id uuid primary key,
      at timestamptz(3) not null,
      instance text not null,
      request_id text not null,
      trace_id text,
      call_id uuid,
      organization_id uuid,
      key_id uuid,
      user_id uuid,
      method text not null,
      route text,
      status int not null,
      error_code text,
      latency_ms double precision not null,
      request_bytes bigint not null,
      response_bytes bigint not null,
      request_content text,
      response_content text
    );
    comment on column holdfast.request_log.at is 'when the answer had been sent';
    comment on column holdfast.request_log.route is 'the pattern; null when no route matched';
    comment on column holdfast.request_log.request_content is 'null unless content is kept; masked';
    -- Ids are UUIDv7, so their order is that of time. Each index is paid by every request: there are those that find few rows of many.
    create index request_log_by_organization on holdfast.request_log (organization_id, id desc) where organization_id is not null;
    create index request_log_by_request on holdfast.request_log (request_id);

    grant select, insert, update, delete on holdfast.metric_minutes to holdfast_jobs;
    grant select on holdfast.metric_minutes to holdfast_operator;
    alter table holdfast.metric_minutes enable row level security, force row level security;
    create policy jobs_all on holdfast.metric_minutes to holdfast_jobs using (true) with check (true);
    create policy operator_read on holdfast.metric_minutes for select to holdfast_operator using (true);

    -- The jobs find what is old by its id, and cannot read what was said.
    grant insert, delete, select (id, at) on holdfast.request_log to holdfast_jobs;
    grant select on holdfast.request_log to holdfast_operator;
    alter table holdfast.request_log enable row level security, force row level security;
    create policy jobs_all on holdfast.request_log to holdfast_jobs using (true) with check (true);
    create policy operator_read on holdfast.request_log for select to holdfast_operator using (true);
  `.execute(database);
}
